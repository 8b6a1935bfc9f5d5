import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis as Client } from 'ioredis';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { clickhouse } from '../../../connectors/clickhouse/index.js';
import { openClickHouse } from '../../../connectors/clickhouse/open.js';
import { redis } from '../../../connectors/redis/index.js';
import { openRedis } from '../../../connectors/redis/open.js';
import { type DeadLetter, hours, millis, type Sink, type SinkDriver, seconds } from '../../../src/core/index.js';
import { runTopology } from '../../../src/runtime/index.js';
import { MemoryProfile } from '../../../src/testing/memory-profile.js';
import { topology } from '../../../src/topology/index.js';
import { askClickHouse } from '../../../stack/ask-clickhouse.js';
import { stackStatus, startStack, stopStack } from '../../../stack/stack.js';
import { memorySink, memorySource, noInference } from '../../memory.js';

// Servers of their own, which are killed, or suspended so that they neither answer nor refuse, under a run that writes to
// them; the log and the checkpoints are in memory.

interface Event {
  readonly id: number;
}
type Server = 'redis' | 'clickhouse';
const TASKS = 2;
const EVENTS = 6_000;

const source = memorySource<Event>('events', ({ id }) => id);

const deadLetters = memorySink<DeadLetter>();

const ended: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ended.splice(0).reverse()) await end();
});

interface World {
  readonly sink: Sink<Event>;
  readonly driver: SinkDriver;
  /** What a plain client finds of the events. */
  found(): Promise<readonly number[]>;
}

async function worldOf(server: Server, url: string): Promise<World> {
  const few = { url, attemptsMax: 4 }; // a fraction of a second where connections are refused
  if (server === 'redis') {
    const opened = openRedis(few);
    ended.push(() => opened.close());
    return {
      sink: redis.hashSink<Event>({ key: ({ id }) => `event:${id}`, ttl: hours(1) }),
      driver: opened.sink,
      found: async () => {
        const client = new Client(url);
        const keys = await client.keys('event:*');
        client.disconnect();
        return keys.map((key) => Number(key.split(':')[1]));
      },
    };
  }
  const opened = await openClickHouse({ ...few, requestTimeoutMs: 60_000 });
  ended.push(() => opened.close());
  return {
    sink: clickhouse.tableSink<Event>({ table: 'events', columns: { id: 'UInt32' } }),
    driver: opened.tableSink,
    found: async () => {
      const answer = await askClickHouse(url, '/', { method: 'POST', body: 'SELECT id FROM events FORMAT TSV' });
      return (await answer.text()).trim().split('\n').map(Number);
    },
  };
}

async function start(server: Server) {
  const dataDir = mkdtempSync(join(tmpdir(), 'millrace-outage-'));
  const stack = await startStack({ services: [server], ports: 0, dataDir });
  const url = stack.urls[server] as string;
  ended.push(async () => {
    await signal('SIGCONT').catch(() => undefined);
    await stopStack(dataDir);
    rmSync(dataDir, { recursive: true, force: true });
  });
  async function signal(name: NodeJS.Signals): Promise<void> {
    const { pid } = (await stackStatusOf()) ?? {};
    if (pid === undefined) throw new Error(`${server} does not run`);
    process.kill(pid, name);
  }
  const stackStatusOf = async () => (await stackStatus(dataDir)).find(({ name }) => name === server);
  const again = async () => {
    await startStack({ services: [server], ports: { [server]: Number(new URL(url).port) }, dataDir });
  };

  const { sink, driver, found } = await worldOf(server, url);
  const profile = new MemoryProfile(TASKS);
  for (let task = 0; task < TASKS; task++) {
    const ids = Array.from({ length: EVENTS / TASKS }, (_, i) => i * TASKS + task);
    profile.append(
      'events',
      task,
      ids.map((id) => ({ key: null, value: Buffer.from(JSON.stringify({ id })), timestampMs: id })),
    );
  }
  const flow = topology('outage', { deadLetters }, (t) => {
    t.source('events', source).to('out', sink);
  });
  const warnings: string[] = [];
  const running = await runTopology(flow, {
    profile: {
      name: 'outage',
      schemas: profile.schemas,
      sources: profile.sources,
      sinks: { memory: profile.sinks.memory as SinkDriver, [server]: driver },
      openLedger: (task) => profile.openLedger(task),
      close: async () => undefined,
    },
    inference: noInference,
    bounded: true,
    epochInterval: millis(100),
    recordsPerSecondMax: 1_500,
    stallMax: seconds(2),
    onWarning: (message) => warnings.push(message),
  });
  running.finished.catch(() => undefined); // told below
  const isDown = (down: boolean) =>
    vi.waitFor(() => expect(running.snapshot().outages.map(({ sink: name }) => name)).toEqual(down ? ['out'] : []), {
      timeout: 60_000,
    });
  const areOnTheirWay = () => {
    const { tasks } = running.snapshot();
    expect([tasks.length, tasks.every(({ epoch }) => epoch > 1)]).toEqual([TASKS, true]);
  };
  await vi.waitFor(areOnTheirWay, 20_000);
  return { running, signal, again, isDown, found, warnings };
}

const all = Array.from({ length: EVENTS }, (_, id) => id);

describe.each<Server>(['redis', 'clickhouse'])('%s under a run', (server) => {
  it('is killed and comes back: the run waits, goes on by itself, and loses nothing', async () => {
    const { running, signal, again, isDown, found } = await start(server);
    await signal('SIGKILL');
    await isDown(true);
    const bothGaveUp = () => expect(running.snapshot().health.every(({ restarts }) => restarts > 0)).toBe(true);
    await vi.waitFor(bothGaveUp, 60_000);
    const { outages, counters } = running.snapshot();
    expect(outages[0]?.cause).toMatch(/ECONNREFUSED|ECONNRESET|closed|hang up/);
    await sleep(1_000);
    expect(running.snapshot().counters).toEqual(counters); // nothing is read meanwhile
    await again();
    await running.finished;
    expect([...new Set(await found())].sort((a, b) => a - b)).toEqual(all);
  });

  it('hangs and comes back: found by the watchdog, waited for, and nothing is lost', async () => {
    const { running, signal, isDown, found, warnings } = await start(server);
    await signal('SIGSTOP');
    await isDown(true);
    expect(warnings[0]).toContain("sink 'out' has not answered for 2 s");
    expect(running.snapshot().health.some(({ stalls }) => stalls > 0)).toBe(true);
    await signal('SIGCONT');
    await running.finished;
    expect([...new Set(await found())].sort((a, b) => a - b)).toEqual(all);
  });
});
