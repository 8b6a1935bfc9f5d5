/**
 * What does a model for each key cost: rows/s, memory, the time of a restore?
 *
 * Logistic regression on 10 dense numbers, 12 numbers of state: one model for all rows, and one for each of 100,000 names, drawn by
 * chance. Each predicts and learns every row, logs it, and hands over its changes every 250,000 rows, as an epoch does. By key, the
 * pooled model learns, too, so two models learn a row. Memory is that of the models and their index (not the names) after a collection; the restore is from blocks alone.
 */
import type { Origin } from '../src/core/record.js';
import type { Cell, CellSpecs } from '../src/core/state.js';
import { chance } from '../src/ml/chance.js';
import { logisticRegression, sgd } from '../src/ml/index.js';
import { modelCells, openModel } from '../src/ml/model.js';
import { modelByKeyCells, openModelByKey } from '../src/ml/model-by-key.js';
import { originAt } from '../src/testing/contract.js';
import type { Benchmark } from './benchmark.js';
import { measurePairs, type Run, type Spread, spreadOf } from './pairs.js';

const DENSE = 10;
const ROWS = 10_000;
const EPOCH_ROWS = 250_000;

export const options = { keys: 100_000, rows: 1_000_000, pairs: 5 };

const learner = logisticRegression({ optimizer: sgd({ rate: 0.01 }) });
const shape = { denseSize: DENSE, hashedSize: 0 };

const rows = Array.from({ length: ROWS }, (_, row) => {
  const dense = Float32Array.from({ length: DENSE }, (_, i) => 2 * chance(1, i, row) - 1);
  return {
    features: { dense, indices: new Uint32Array(0), values: new Float32Array(0) },
    label: (dense[0] as number) > 0.1,
  };
});

const openCells = (specs: CellSpecs): Record<string, Cell> =>
  Object.fromEntries(Object.entries(specs).map(([name, spec]) => [name, spec.open()]));

/** Bytes on the heap and in buffers, after a collection. */
function heldBytes(): number {
  for (let i = 0; i < 3; i++) globalThis.gc?.();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

const origin = originAt(0) as { -readonly [K in keyof Origin]: Origin[K] };
const at = (offset: number): Origin => {
  origin.offset = offset;
  return origin;
};

const single = (value: number): Spread => ({ median: value, low: value, high: value });
/** By the processor's time: nothing here waits, and others may be at work beside it. */
const rateOf = ({ records, cpuSeconds }: Run): number => records / cpuSeconds;

export const benchmark: Benchmark<typeof options> = async (progress, { keys, rows: count, pairs }) => {
  const names = Array.from({ length: keys }, (_, key) => `driver-${key * 7_919}`);
  const nameOf = Int32Array.from({ length: count }, (_, row) => Math.floor(chance(2, 0, row) * keys));
  const specs = modelByKeyCells(learner, shape, keys, {});

  /** Predicts and learns all rows. */
  const live = (
    cells: Readonly<Record<string, Cell>>,
    step: (row: (typeof rows)[number], key: string, place: number) => void,
  ): number => {
    for (let place = 0; place < count; place++) {
      step(rows[place % ROWS] as (typeof rows)[number], names[nameOf[place] as number] as string, place);
      if (place % EPOCH_ROWS === 0)
        for (const cell of Object.values(cells)) cell.takeChanges({ busyMs: 0, isLast: false });
    }
    return count;
  };
  const before = heldBytes();
  const keyed = openCells(specs);
  const models = openModelByKey(learner, shape, keyed, { evicted: () => undefined });
  const one = openCells(modelCells(learner, shape));
  const model = openModel(learner, shape, one);
  const contestants = [
    {
      name: 'one model',
      work: () =>
        live(one, ({ features, label }, _key, place) => {
          model.predictOne(features);
          model.learnOne(features, label, 1, at(place));
        }),
    },
    {
      name: 'a model for each key',
      work: () =>
        live(keyed, ({ features, label }, key, place) => {
          models.predictOne(features, key);
          models.learnOne(features, label, 1, at(place), key);
        }),
    },
  ] as const;
  const { runs } = await measurePairs(contestants, { pairs, warmUps: 1 }, progress);
  const [alone = [], byKey = []] = contestants.map(({ name }) => runs[name]);

  const changes = Object.entries(keyed).flatMap(([name, cell]) =>
    cell
      .takeChanges({ busyMs: 0, isLast: true })
      .flatMap(({ bucket, bytes }) => (bytes ? [{ name, bucket, bytes }] : [])),
  );
  const stored = changes.reduce((sum, { bytes }) => sum + bytes.length, 0);
  const held = heldBytes() - before - stored;
  const startedMs = performance.now();
  const again = openCells(specs);
  for (const { name, bucket, bytes } of changes) again[name]?.restore(bucket, bytes, specs[name]?.version ?? 0);
  const restored = openModelByKey(learner, shape, again, { evicted: () => undefined });
  const readMs = performance.now() - startedMs;
  restored.predictOne((rows[0] as (typeof rows)[number]).features, names[0] as string);
  const readyMs = performance.now() - startedMs;
  return {
    unit: 'rows/s of processor time, unless named',
    figures: {
      'one model': spreadOf(alone.map(rateOf)),
      'a model for each key': spreadOf(byKey.map(rateOf)),
      'memory of all models, MiB': single(held / 2 ** 20),
      'stored, MiB': single(stored / 2 ** 20),
      'restore, ms, blocks taken over': single(readMs),
      'restore, ms, until the first prediction': single(readyMs),
    },
    ratios: {
      'a model for each key through one model': spreadOf(byKey.map((run, i) => rateOf(run) / rateOf(alone[i] as Run))),
    },
  };
};
