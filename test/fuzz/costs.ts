import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { longestTurn } from '../turns.js';

/** What one input of at most 1 MiB may cost. */
export interface CostLimits {
  /** CPU in one turn of the loop. */
  readonly turnMs: number;
  /** Memory that is there at its end and was not before. */
  readonly addedBytes: number;
}

export const limits: CostLimits = { turnMs: 100, addedBytes: 64 * 2 ** 20 };

interface Cost {
  readonly turnMs: number;
  readonly addedBytes: number;
}

/** A machine that is busy, or a collection that falls into the turn, shows once: what costs too much does it each time. */
const TRIES = 4;

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

async function costOf(work: () => unknown): Promise<Cost> {
  const before = process.memoryUsage();
  const turn = longestTurn();
  const kept = [await work()]; // until it is measured
  const turnMs = turn.stop();
  const buffers = process.memoryUsage().external - before.external; // buffers that are given up count until they are collected
  let heap = process.memoryUsage().heapUsed - before.heapUsed;
  if (heap + buffers > limits.addedBytes) {
    collect();
    heap = process.memoryUsage().heapUsed - before.heapUsed;
  }
  kept.pop();
  return { turnMs, addedBytes: buffers + heap };
}

/**
 * Does the work for an input, and again where it cost more than it may.
 *
 * @returns the milliseconds of CPU of its longest turn.
 * @throws Error with the cost where each try took too long, or the first one added too much.
 */
export async function withinLimits(
  what: string,
  { turnMs, addedBytes }: CostLimits,
  work: () => unknown,
): Promise<number> {
  // Of the memory the first try tells the truth: later ones may count what is freed of those before.
  const { turnMs: first, addedBytes: added } = await costOf(work);
  let least = first;
  for (let tries = 1; tries < TRIES && least > turnMs; tries++) {
    collect();
    least = Math.min(least, (await costOf(work)).turnMs);
  }
  if (least <= turnMs && added <= addedBytes) return least;
  const cost = `${Math.round(least)} ms of CPU in one turn and ${Math.round(added / 2 ** 20)} MiB`;
  throw new Error(`${what} costs ${cost}`);
}
