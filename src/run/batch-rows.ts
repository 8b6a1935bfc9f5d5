import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { messageOf } from '../core/errors.js';
import type { BatchSums, ModelReport } from '../core/index.js';

/** The batches of one model, provider and size in a span of time, with their means. */
export interface BatchRow {
  readonly topology: string;
  readonly run: string;
  readonly since: string;
  readonly until: string;
  readonly model: string;
  readonly version: string;
  readonly provider: string;
  /** Of batches with up to so many rows, a power of two, and more than half of that. */
  readonly rowsMax: number;
  readonly batches: number;
  readonly rows: number;
  readonly waitMs: number;
  readonly runMs: number;
  readonly workerSeconds: number;
  readonly costPer1000: number | null;
}

export interface BatchRowsOptions {
  readonly topology: string;
  /** Tells the runs of a topology apart. */
  readonly run?: string;
  /** What an hour of a worker costs; 0 if nobody says. */
  readonly price: number;
  models(): readonly ModelReport[];
  /** Every ten seconds by default. */
  readonly everyMs?: number;
  onWarning(message: string): void;
}

export const EVERY_MS = 10_000;
const CLOSE_MS = 5_000;

/**
 * Writes the batches of all models every ten seconds: a row for each model, provider and size of batches that there were. What could not be
 * written is part of the next rows, with a warning that names the `place`.
 *
 * Memory: the sums of the last rows that were written.
 */
export function batchRows(
  { topology, run = randomUUID(), price, models, everyMs = EVERY_MS, onWarning }: BatchRowsOptions,
  place: string,
  insert: (rows: readonly BatchRow[]) => Promise<void>,
): { close(): Promise<void> } {
  let last = { atMs: Date.now(), reports: models() };
  let writing: Promise<void> | undefined;
  let isFailing = false;

  async function write(): Promise<void> {
    const now = { atMs: Date.now(), reports: models() };
    const sums = sumsBetween(last.reports, now.reports);
    const span = { topology, run, since: timeOf(last.atMs), until: timeOf(now.atMs) };
    try {
      if (sums.length > 0) await insert(sums.map((each) => ({ ...span, ...rowOf(each, price) })));
      last = now;
      isFailing = false;
    } catch (error) {
      if (!isFailing) onWarning(`the batches of models are not in ${place} yet: ${messageOf(error)}`);
      isFailing = true;
    }
  }

  const writeOnce = () => {
    writing ??= write().finally(() => {
      writing = undefined;
    });
    return writing;
  };
  const timer = setInterval(writeOnce, everyMs).unref();
  return {
    async close() {
      clearInterval(timer);
      const leave = new AbortController();
      const tooLong = pause(CLOSE_MS, undefined, { signal: leave.signal }).catch(() => undefined);
      await Promise.race([writeOnce().then(writeOnce), tooLong]);
      leave.abort();
    },
  };
}

const timeOf = (ms: number): string => new Date(ms).toISOString();

interface Sums extends BatchSums {
  readonly model: string;
  readonly version: string;
  readonly provider: string;
}

/** What came between two looks at the same models, of which there may be more at the second. */
function sumsBetween(before: readonly ModelReport[], now: readonly ModelReport[]): readonly Sums[] {
  const sums = new Map<string, Sums>();
  for (const [i, { model, version, provider, sizes }] of now.entries()) {
    for (const size of sizes) {
      const old = before[i]?.sizes.find(({ rowsMax }) => rowsMax === size.rowsMax);
      if (size.batches === (old?.batches ?? 0)) continue;
      // One model with several limits, or chains, is one.
      const key = JSON.stringify([model, version, provider, size.rowsMax]);
      const others = sums.get(key);
      const sum = (name: 'batches' | 'rows' | 'waitMs' | 'runMs') =>
        size[name] - (old?.[name] ?? 0) + (others?.[name] ?? 0);
      sums.set(key, {
        ...{ model, version, provider, rowsMax: size.rowsMax },
        ...{ batches: sum('batches'), rows: sum('rows'), waitMs: sum('waitMs'), runMs: sum('runMs') },
      });
    }
  }
  return [...sums.values()];
}

const SECONDS_AN_HOUR = 3_600;

function rowOf({ batches, rows, waitMs, runMs, ...rest }: Sums, price: number) {
  const workerSeconds = runMs / 1_000;
  const cost = (price * workerSeconds) / SECONDS_AN_HOUR;
  return {
    ...{ ...rest, batches, rows, workerSeconds },
    ...{ waitMs: waitMs / batches, runMs: runMs / batches },
    costPer1000: price === 0 ? null : (1_000 * cost) / rows,
  };
}
