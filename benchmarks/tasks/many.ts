import { setTimeout as sleep } from 'node:timers/promises';
import { withBroker } from '../kafka/world.js';
import type { Spread } from '../pairs.js';
import { spreadsOf } from '../pairs.js';
import { Worker } from './process.js';
import { writeVisits } from './visits.js';
import type { WorkerStatus } from './worker.js';

const TOPIC = 'bench.visits';
const RECORDS = 200;
/** How long the tasks have nothing to do before it is measured, and while it is. */
const SETTLE_MS = 10_000;
const IDLE_MS = 12_000;

/** Of so many tasks in one process. */
export interface Tasks {
  readonly firstMs: Spread;
  readonly allMs: Spread;
  readonly againMs: Spread;
  readonly stopMs: Spread;
  /** Percent of a core without anything to read. */
  readonly idlePercent: Spread;
  readonly rssMib: Spread;
}

type Figures = { readonly [name in keyof Tasks]: number };

/**
 * One process takes all tasks: from their beginning, and once more from their checkpoints, with as much to read as
 * before. A task's changelog then holds what it has counted.
 */
export async function manyTasks(progress: (line: string) => void, tasks: number, rounds: number): Promise<Tasks> {
  const found: Figures[] = [];
  await withBroker(progress, async (broker, kafka) => {
    const counts = Array.from({ length: tasks }, () => RECORDS);
    let written = 0;
    const write = async () => {
      await writeVisits(kafka, TOPIC, counts);
      written += RECORDS;
    };
    await write();
    for (let round = 0; round < rounds; round++) {
      const start = () => new Worker({ broker, topology: 'counting', topic: TOPIC, prefix: `tasks-${round}` });
      const isAll = ({ committed }: WorkerStatus) =>
        committed.length === tasks && committed.every((offset) => offset >= written);
      let worker = start();
      const fresh = await worker.until('all is read', isAll, 200);
      await sleep(SETTLE_MS);
      const before = await worker.status();
      await sleep(IDLE_MS);
      const after = await worker.status();
      const stopMs = await worker.stop();
      await write();
      worker = start();
      const again = await worker.until('all is read again', isAll, 200);
      await worker.stop();
      const figures: Figures = {
        firstMs: Math.min(...fresh.firstCommitsMs),
        allMs: Math.max(...fresh.firstCommitsMs),
        againMs: Math.max(...again.firstCommitsMs),
        stopMs,
        idlePercent: (100 * (after.cpuMs - before.cpuMs)) / (after.nowMs - before.nowMs),
        rssMib: after.rssBytes / 2 ** 20,
      };
      found.push(figures);
      const text = Object.entries(figures).map(([name, value]) => `${name} ${value.toFixed(1)}`);
      progress(`round ${round + 1}/${rounds}  ${tasks} tasks: ${text.join(', ')}`);
    }
  });
  return spreadsOf(found);
}
