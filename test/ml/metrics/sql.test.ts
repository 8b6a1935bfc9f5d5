import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Session } from 'chdb';
import { afterAll, describe, expect, it } from 'vitest';
import { accumulatorOf } from '../../../src/aggregates/accumulator.js';
import type { Aggregate } from '../../../src/aggregates/index.js';
import * as ml from '../../../src/ml.js';
import { mean } from '../../../src/window.js';
import { type Batch, batchesOf, names, near, over } from './support.js';

// SQL over the sums of three tasks gives what the metric gives over all rows, for every metric of one number.

type Metric = Aggregate<never, unknown>;

const at = { threshold: 0.3 };
const of = { classes: names } as const;
const binary: Record<string, Metric> = {
  accuracy: ml.accuracy(at),
  balanced: ml.balancedAccuracy(at),
  precision: ml.precision(at),
  recall: ml.recall(),
  f1: ml.fBeta(),
  f2: ml.fBeta({ ...at, beta: 2 }),
  mcc: ml.mcc(),
  kappa: ml.kappa(),
  loss: ml.logLoss(),
  brier: ml.brier(),
  entropy: ml.normalizedEntropy(),
  roc: ml.rocAuc({ bins: 64 }),
  pr: ml.prAuc({ bins: 64, scale: 'log-odds' }),
  ece: ml.calibrationError(),
  ece2: ml.calibrationError({ bins: 10, norm: 'l2' }),
  eceMax: ml.calibrationError({ bins: 5, norm: 'max' }),
};
const byClass: Record<string, Metric> = {
  accuracy: ml.accuracy(of),
  balanced: ml.balancedAccuracy(of),
  precision: ml.precision(of),
  precisionOfB: ml.precision({ ...of, of: 'b' }),
  recallWeighted: ml.recall({ ...of, average: 'weighted' }),
  f1Micro: ml.fBeta({ ...of, average: 'micro' }),
  mcc: ml.mcc(of),
  kappa: ml.kappa(of),
  loss: ml.logLoss(of),
  brier: ml.brier(of),
  roc: ml.rocAuc({ ...of, bins: 32 }),
  pr: ml.prAuc({ ...of, bins: 32 }),
  ece: ml.calibrationError(of),
};
const numbers: Record<string, Metric> = {
  mae: ml.mae(),
  rmse: ml.rmse(),
  r2: ml.r2(),
  quantile: ml.quantileLoss({ at: 0.9 }),
  regret: ml.regret(),
};
const rankings: Record<string, Metric> = {
  ndcg: ml.ndcg({ k: 5 }),
  map: ml.meanAveragePrecision({ k: 5 }),
  mrr: ml.meanReciprocalRank(),
  hits: ml.hitRate({ k: 3 }),
};

const session = new Session();
const folder = mkdtempSync(join(tmpdir(), 'millrace-metric-sql-'));
afterAll(() => {
  session.cleanup();
  rmSync(folder, { recursive: true });
});

function sumsOf(metric: Metric, rows: readonly unknown[]): readonly number[] {
  const accumulator = accumulatorOf<unknown>({ metric: metric as Aggregate<unknown, unknown> });
  const into = Array<number>(accumulator.numbers).fill(0);
  const values: unknown[] = [];
  accumulator.init(into, 0, values, 0);
  for (const row of rows) accumulator.add(into, 0, values, 0, row, 0);
  return accumulator.sums(into, 0, values, 0).metric as number[];
}

/** Batches, and the first rows of each: none, one, and so few that classes are missing. */
const samplesOf = (batches: readonly Batch[]): (readonly unknown[])[] =>
  batches.flatMap(({ rows }) => [rows, rows.slice(0, 1), rows.slice(0, 3), []]);

/** Whether labels are far from 0 beside their deviation: there SQL of R2 has no digits, which it says. */
function isFar(rows: readonly unknown[]): boolean {
  const labels = rows.map((row) => (row as { label: number }).label);
  const [low, high] = [Math.min(...labels), Math.max(...labels)];
  return Math.max(Math.abs(low), Math.abs(high)) > 1e4 * (high - low);
}

let files = 0;
function bySql(metric: Metric, samples: readonly (readonly unknown[])[]): (number | null)[] {
  const file = join(folder, `${files++}.ndjson`);
  const lines = samples.flatMap((rows, id) =>
    [0, 1, 2].map((task) => ({
      id,
      a: sumsOf(
        metric,
        rows.filter((_, i) => i % 3 === task),
      ),
    })),
  );
  writeFileSync(file, lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  const read = metric.additive?.sql?.('a') as string;
  const from = `file('${file}', 'JSONEachRow', 'id UInt32, a Array(Float64)')`;
  return session
    .query(
      `SELECT ${read} AS v FROM (SELECT id, sumForEach(a) AS a FROM ${from} GROUP BY id) ORDER BY id`,
      'JSONEachRow',
    )
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line).v);
}

describe.each([
  ['binary', binary],
  ['class', byClass],
  ['number', numbers],
  ['ranking', rankings],
] as const)('%s', (kind, metrics) => {
  const samples = samplesOf(batchesOf(kind));
  it.each(Object.entries(metrics))('%s', (_, metric) => {
    const found = bySql(metric, samples);
    expect(found.length).toBe(samples.length);
    samples.forEach((rows, i) => {
      if (metric.kind === 'r2' && isFar(rows)) return;
      near(found[i] as number | null, over(metric, rows) as number | null, 1e-9);
    });
    expect(found.at(-1)).toBeNull();
    expect(found.some((value) => value !== null)).toBe(true);
  });
});

it('what is no sum has no SQL, and is refused', () => {
  expect(() => ml.evaluationSql({ mean: mean((x: number) => x) }, { table: 't' })).toThrow("there is no SQL of 'mean'");
  expect(() => ml.evaluationSql({ bins: ml.reliability() }, { table: 't' })).toThrow("there is no SQL of 'bins'");
  expect(ml.reliability().additive).toEqual({ sql: undefined });
  expect(mean((x: number) => x).additive).toBeUndefined();
});
