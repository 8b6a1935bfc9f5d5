import type { Running, RunSnapshot } from '../../../src/runtime/index.js';
import { serveMonitoring } from '../../../src/server/http.js';
import type { RecordDesk } from '../../../src/server/record-route.js';
import type { Topology } from '../../../src/topology/index.js';
import { someSnapshot } from '../../cli/snapshot.js';
import { orders } from '../../server/orders.js';

const open: { close(): Promise<void> }[] = [];

/** Closes every server that was opened here. */
export async function closeServed(): Promise<void> {
  for (const each of open.splice(0)) await each.close();
}

/** Serves the page of a topology, for a run or for what a test says that one is like. */
export async function served(
  topology: Topology = orders,
  snapshot: () => RunSnapshot = someSnapshot,
  isReady = () => true,
  query: Running['query'] = async () => ({ kind: 'retry', why: 'not now' }),
  records?: RecordDesk,
): Promise<string> {
  const monitoring = await serveMonitoring({
    host: '127.0.0.1',
    port: 0,
    token: undefined,
    topology,
    profile: 'embedded',
    running: { snapshot, query },
    records,
    isReady,
  });
  open.push(monitoring);
  return monitoring.url;
}

/** A run that reads a thousand records a second. */
export function livelySnapshot(): RunSnapshot {
  const startedMs = Date.now();
  return new Proxy(someSnapshot(), {
    get(snapshot, name: keyof RunSnapshot) {
      if (name === 'outages') return [];
      if (name !== 'counters') return snapshot[name];
      return snapshot.counters.map((each) => ({ ...each, value: each.value + Date.now() - startedMs }));
    },
  });
}
