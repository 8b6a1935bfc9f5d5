import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { messageOf } from '../core/errors.js';
import type { BatchSums, ModelReport } from '../core/index.js';
import type { OpenProfile } from '../profiles/profiles.js';
import { ownTable, timeText } from './own-table.js';

const columns = {
  topology: 'LowCardinality(String)',
  run: 'UUID',
  since: "DateTime64(3, 'UTC')",
  until: "DateTime64(3, 'UTC')",
  model: 'LowCardinality(String)',
  version: 'LowCardinality(String)',
  provider: 'LowCardinality(String)',
  rowsMax: 'UInt32',
  batches: 'UInt64',
  rows: 'UInt64',
  waitMs: 'Float64',
  runMs: 'Float64',
  workerSeconds: 'Float64',
  costPer1000: 'Nullable(Float64)',
} as const;

export interface InferenceTableOptions {
  readonly table: string;
  readonly topology: string;
  /** What an hour of a worker costs; 0 if nobody says. */
  readonly price: number;
  models(): readonly ModelReport[];
  /** Every ten seconds by default. */
  readonly everyMs?: number;
  onWarning(message: string): void;
}

const EVERY_MS = 10_000;
const CLOSE_MS = 5_000;

/**
 * Keeps the batches of all models as rows of a table of ClickHouse: every ten seconds one for each model, provider and size of batches that
 * there were, with their means. What could not be written is part of the next rows, with a warning.
 *
 * Memory: the sums of the last rows that were written.
 *
 * @throws MillraceError `config` for a name that is no name of a table.
 */
export function inferenceTable(
  profile: Pick<OpenProfile, 'connect'>,
  { table, topology, price, models, everyMs = EVERY_MS, onWarning }: InferenceTableOptions,
): { close(): Promise<void> } {
  // What replaces a row is the same time span of the same run, with what came later.
  const orderBy = ['topology', 'run', 'since', 'model', 'version', 'provider', 'rowsMax'] as const;
  const insert = ownTable(profile, { table, where: 'inferenceTable', columns, orderBy });
  const run = randomUUID();
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
      if (!isFailing) onWarning(`the batches of models are not in the table ${table} yet: ${messageOf(error)}`);
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

const timeOf = (ms: number): string => timeText(new Date(ms).toISOString());

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
