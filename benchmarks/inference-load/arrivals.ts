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

/**
 * Rows that come by chance (Poisson), whether they are answered or not (open loop). Times are those at which rows were to come: one that
 * this thread asks about too late has waited since then.
 */
export async function arrive(server: Server, arrivals: Arrivals): Promise<Latencies> {
  const { rowsPerSecond, seconds, deadlineMs, random, patienceMs = 5_000 } = arrivals;
  const gapMs = 1_000 / rowsPerSecond;
  const most = Math.ceil(rowsPerSecond * seconds * 1.5) + 1_000;
  const cameMs = new Float64Array(most);
  // Of a known size, since one that grows would stop this thread for some milliseconds to be copied.
  const latencies = new Float64Array(most);
  let answers = 0;
  const startMs = performance.now();
  let rows = 0;
  let nextMs = startMs - Math.log(1 - random()) * gapMs;
  while (performance.now() - startMs < seconds * 1_000) {
    const first = rows;
    const nowMs = performance.now();
    for (; nextMs <= nowMs && rows < most; nextMs -= Math.log(1 - random()) * gapMs) cameMs[rows++] = nextMs;
    if (rows > first) askAbout(first, rows - first);
    await turn();
  }
  const endMs = performance.now() + patienceMs;
  while (answers < rows && performance.now() < endMs) await pause(5);
  latencies.fill(Number.POSITIVE_INFINITY, answers, rows);
  const { rows: scored, batches } = server.batches();

  function askAbout(first: number, count: number): void {
    let answered = first;
    server.ask(count, (some) => {
      const nowMs = performance.now();
      for (let i = 0; i < some; i++) latencies[answers++] = nowMs - (cameMs[answered++] as number);
    });
  }

  const sorted = latencies.subarray(0, rows).sort();
  const quantile = (q: number) => sorted[Math.min(rows - 1, Math.floor(q * rows))] as number;
  return {
    ...{ p50: quantile(0.5), p99: quantile(0.99), p999: quantile(0.999) },
    inTime: sorted.filter((ms) => ms <= deadlineMs).length / rows,
    rowsABatch: scored / batches,
    rows,
  };
}
