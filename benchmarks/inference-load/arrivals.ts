import { setTimeout as pause, setImmediate as turn } from 'node:timers/promises';
import type { Server } from './servers.js';

/** The latencies of rows that came by chance, in milliseconds from when they were to come. */
export interface Latencies {
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
  /** The share that was answered within the deadline. */
  readonly inTime: number;
  readonly rowsABatch: number;
  readonly rows: number;
}

export interface Arrivals {
  readonly rowsPerSecond: number;
  readonly seconds: number;
  readonly deadlineMs: number;
  readonly random: () => number;
  /** How long answers are waited for after the last row has come; what has none then counts as late (default 5 s). */
  readonly patienceMs?: number;
}

/** Rows come for so long before they count: a processor wakes up, and code is compiled. */
const LEAD_IN_MS = 500;

/** Numbers of each row. They are kept for the next run: a collector that hears of new ones works beside the rows. */
interface Room {
  readonly cameMs: Float64Array;
  readonly latencies: Float64Array;
}
const rooms: Room[] = [];

function roomFor(rows: number): Room {
  const room = rooms.pop();
  if (room !== undefined && room.cameMs.length >= rows) return room;
  // Written once, since memory is only given to a process when it writes there.
  const empty = () => new Float64Array(rows).fill(1);
  return { cameMs: empty(), latencies: empty() };
}

/**
 * Rows that come by chance (Poisson), whether they are answered or not (open loop). Times are those at which rows were to come: one that
 * this thread asks about too late has waited since then.
 */
export async function arrive(server: Server, arrivals: Arrivals): Promise<Latencies> {
  const { rowsPerSecond, seconds, deadlineMs, random, patienceMs = 5_000 } = arrivals;
  const gapMs = 1_000 / rowsPerSecond;
  const forMs = LEAD_IN_MS + seconds * 1_000;
  const most = Math.ceil((rowsPerSecond * forMs * 1.5) / 1_000) + 1_000;
  const room = roomFor(most);
  // What the run before left is not this one's.
  globalThis.gc?.();
  const { cameMs, latencies } = room;
  const startMs = performance.now();
  const countsFromMs = startMs + LEAD_IN_MS;
  let rows = 0;
  let counted = 0;
  let answers = 0;
  let countedAnswers = 0;
  let nextMs = startMs - Math.log(1 - random()) * gapMs;
  while (performance.now() - startMs < forMs) {
    const first = rows;
    const nowMs = performance.now();
    for (; nextMs <= nowMs && rows < most; nextMs -= Math.log(1 - random()) * gapMs) {
      if (nextMs >= countsFromMs) counted++;
      cameMs[rows++] = nextMs;
    }
    if (rows > first) askAbout(first, rows - first);
    await turn();
  }
  const endMs = performance.now() + patienceMs;
  while (answers < rows && performance.now() < endMs) await pause(5);
  latencies.fill(Number.POSITIVE_INFINITY, countedAnswers, counted);
  const { rows: scored, batches } = server.batches();

  function askAbout(first: number, count: number): void {
    let answered = first;
    server.ask(count, (some) => {
      const nowMs = performance.now();
      answers += some;
      for (let i = 0; i < some; i++) {
        const sinceMs = cameMs[answered++] as number;
        if (sinceMs >= countsFromMs) latencies[countedAnswers++] = nowMs - sinceMs;
      }
    });
  }

  const sorted = latencies.subarray(0, counted).sort();
  const quantile = (q: number) => sorted[Math.min(counted - 1, Math.floor(q * counted))] as number;
  const found = {
    ...{ p50: quantile(0.5), p99: quantile(0.99), p999: quantile(0.999) },
    inTime: shareUpTo(deadlineMs, sorted),
    rowsABatch: scored / batches,
    rows,
  };
  rooms.push(room);
  return found;
}

function shareUpTo(most: number, sorted: Float64Array): number {
  const end = sorted.findIndex((ms) => ms > most);
  return end < 0 ? 1 : end / sorted.length;
}
