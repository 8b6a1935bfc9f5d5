import { setTimeout as sleep } from 'node:timers/promises';
import type { Run } from '../pairs.js';
import { cpuSecondsOf } from './cpu-of.js';
import { type Order, recordsOf } from './order.js';
import type { PeerProcess } from './peer-process.js';
import type { Committed, World } from './world.js';

export interface PeerRun extends Run {
  /** Of the broker in the same window. */
  readonly brokerCpuSeconds: number;
}

const LOOK_EVERY_MS = 20;

/**
 * Has the processes do an order and measures from outside, the same for every peer: from the first record in hand of the
 * last process to start, until the groups of the run have committed the last record, also of the topics between its stages.
 * CPU is that of the processes, all threads.
 */
export async function measurePeer(world: World, processes: readonly PeerProcess[], order: Order): Promise<PeerRun> {
  const { brokerPid } = world;
  const total = recordsOf(order.inputs);
  const partitions = Math.max(...order.inputs.map(({ sizes }) => sizes.length));
  const readOf = (committed: Committed) =>
    order.inputs.flatMap(({ topic }) => committed.get(topic) ?? []).reduce((sum, offset) => sum + offset, 0);
  const cpu = () => processes.reduce((sum, { pid }) => sum + cpuSecondsOf(pid), 0);
  await world.createTopic(order.output, partitions);
  await Promise.all(processes.map((each) => each.start(order)));
  const startedMs = performance.now();
  const [cpuBefore, brokerBefore] = [cpu(), cpuSecondsOf(brokerPid)];
  // With several processes the first one has done something before the last one starts.
  const before = processes.length > 1 ? readOf(await world.committed(order.name)) : 0;
  for (const failure = Promise.race(processes.map((each) => each.failure)); ; ) {
    const committed = await Promise.race([world.committed(order.name), failure]);
    if (readOf(committed) >= total && (await world.isDrained(order.name, committed))) break;
    await sleep(LOOK_EVERY_MS);
  }
  const run: PeerRun = {
    records: total - before,
    seconds: (performance.now() - startedMs) / 1_000,
    cpuSeconds: cpu() - cpuBefore,
    brokerCpuSeconds: cpuSecondsOf(brokerPid) - brokerBefore,
  };
  await Promise.all(processes.map((each) => each.stop()));
  return run;
}
