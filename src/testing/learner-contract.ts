import { MillraceError } from '../core/errors.js';
import type { FeatureShape, FeatureVector, Learner, LearnerLogic } from '../core/learner.js';
import type { Cell, CellSpecs } from '../core/state.js';

/** A row for testing a learner. */
export interface LearnerRow<Y> {
  readonly features: FeatureVector;
  readonly label: Y;
}

/**
 * A learner with its own cells, for its test.
 *
 * @example
 * const learner = openLearner(passiveAggressive(), { denseSize: 2, hashedSize: 0 });
 * learner.learnOne(featureVector([1, 0]), true);
 */
export function openLearner<Y, P, S extends CellSpecs>(
  learner: Learner<Y, P, S>,
  shape: FeatureShape,
): LearnerLogic<Y, P> {
  return openedFrom(learner, learner.cells(shape), shape).logic;
}

/**
 * A feature vector from dense numbers, and the indices of hashed coordinates with value 1.
 *
 * @example featureVector([0.5, 2], [7, 11]);
 */
export const featureVector = (dense: readonly number[], indices: readonly number[] = []): FeatureVector => ({
  view: 'test',
  hash: 'test',
  dense: Float32Array.from(dense),
  indices: Uint32Array.from(indices),
  values: new Float32Array(indices.length).fill(1),
});

/** The last stored state of the cells, enough to restore from. */
type Stored = Map<string, { cell: string; bucket: number; bytes: Uint8Array; version: number }>;

interface Opened<Y, P> {
  readonly cells: Readonly<Record<string, Cell>>;
  readonly logic: LearnerLogic<Y, P>;
}

/**
 * Checks what every learner promises, with the given rows (at least one):
 * - `predictOne` changes no state;
 * - the same rows give the same predictions and the same state, bit for bit;
 * - a snapshot and restore at every row change no prediction and no state, bit for bit;
 * - stored bytes do not change when the learner learns more;
 * - rows are not changed, and not used after they were learnt;
 * - the order of a row's hashed coordinates does not matter (except for rounding: 1e-9);
 * - hashed coordinates may appear and disappear;
 * - a row with a number that is not finite is refused and changes nothing.
 *
 * @example checkLearner(logisticRegression({ optimizer: ftrl({ alpha: 0.1 }) }), rows, { denseSize: 2, hashedSize: 16 });
 * @throws MillraceError `internal` that names the broken promise
 */
export function checkLearner<Y, S extends CellSpecs>(
  learner: Learner<Y, number, S>,
  rows: readonly LearnerRow<Y>[],
  shape: FeatureShape,
): void {
  const first = rows[0];
  if (!first)
    throw new MillraceError('config', 'no rows to check the learner on', { hint: 'give it at least one row' });
  const specs = learner.cells(shape);
  const open = (stored?: Stored): Opened<Y, number> => openedFrom(learner, specs, shape, stored);

  const plain = open();
  const expected = rows.map(({ features, label }) => predictThenLearn(plain.logic, features, label));
  const finalState = store(plain.cells, specs, new Map());

  const again = open();
  rows.forEach(({ features, label }, i) => {
    const ownCopy = copy(features);
    for (let repeat = 0; repeat < 2; repeat++) again.logic.predictOne(ownCopy);
    same(
      predictThenLearn(again.logic, ownCopy, label),
      expected[i],
      `row ${i}: predicting twice changed the prediction`,
    );
    same(text(ownCopy), text(features), `row ${i}: the learner changed the row`);
    ownCopy.dense.fill(Number.NaN); // a learner that kept a reference shows it now
    ownCopy.indices.fill(0);
  });
  same(textOf(store(again.cells, specs, new Map())), textOf(finalState), 'the same rows left another state');

  const quiet = open(finalState);
  for (const { features } of rows) quiet.logic.predictOne(features);
  same(store(quiet.cells, specs, new Map()).size, 0, 'predicting changed the state');

  const stored: Stored = new Map();
  let interrupted = open();
  rows.forEach(({ features, label }, i) => {
    same(
      predictThenLearn(interrupted.logic, features, label),
      expected[i],
      `row ${i}: restored, it predicted otherwise`,
    );
    store(interrupted.cells, specs, stored);
    const before = textOf(stored);
    interrupted.logic.learnOne(features, label);
    same(textOf(stored), before, `row ${i}: stored bytes changed with later learning`);
    interrupted = open(stored);
  });
  same(textOf(stored), textOf(finalState), 'stored at every row, it kept another state');

  const shuffled = open();
  rows.forEach(({ features, label }, i) => {
    const probability = predictThenLearn(shuffled.logic, reversed(features), label);
    if (!(Math.abs(probability - (expected[i] as number)) <= 1e-9))
      broken(`row ${i}: the order of coordinates mattered`);
  });

  checkRefusal(open(finalState), specs, first);
  checkEmerging(open(), first, shape);
}

function predictThenLearn<Y>(logic: LearnerLogic<Y, number>, features: FeatureVector, label: Y): number {
  const prediction = logic.predictOne(features);
  if (Number.isNaN(prediction)) broken('a prediction is not a number');
  logic.learnOne(features, label);
  return prediction;
}

function checkRefusal<Y>(
  { cells, logic }: Opened<Y, number>,
  specs: CellSpecs,
  { features, label }: LearnerRow<Y>,
): void {
  for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
    const poisoned = copy(features);
    const target = poisoned.dense.length > 0 ? poisoned.dense : poisoned.values;
    if (target.length === 0) return;
    target[target.length - 1] = bad;
    same(logic.learnOne(poisoned, label), false, `a row with ${bad} was learnt`);
    if (Number.isNaN(logic.predictOne(poisoned))) broken(`a row with ${bad} is predicted as not a number`);
  }
  same(store(cells, specs, new Map()).size, 0, 'a refused row changed the state');
}

function checkEmerging<Y>(
  { logic }: Opened<Y, number>,
  { features, label }: LearnerRow<Y>,
  { hashedSize }: FeatureShape,
): void {
  if (hashedSize === 0) return;
  const withIndices = (...indices: number[]): FeatureVector => ({
    ...features,
    indices: Uint32Array.from(indices),
    values: new Float32Array(indices.length).fill(1),
  });
  for (const vector of [withIndices(), withIndices(0, hashedSize - 1), withIndices(hashedSize - 1), withIndices()]) {
    predictThenLearn(logic, vector, label);
  }
}

function openedFrom<Y, P, S extends CellSpecs>(
  learner: Learner<Y, P, S>,
  specs: S,
  shape: FeatureShape,
  stored: Stored = new Map(),
): Opened<Y, P> {
  const cells = Object.fromEntries(Object.entries(specs).map(([name, spec]) => [name, spec.open()]));
  for (const { cell, bucket, bytes, version } of stored.values()) cells[cell]?.restore(bucket, bytes, version);
  return { cells, logic: learner.open(cells as Parameters<typeof learner.open>[0], shape) };
}

/** Stores the changes of all cells, as an epoch does. */
function store(cells: Readonly<Record<string, Cell>>, specs: CellSpecs, into: Stored): Stored {
  for (const [cell, open] of Object.entries(cells)) {
    for (const { bucket, bytes } of open.takeChanges()) {
      if (bytes) into.set(`${cell}/${bucket}`, { cell, bucket, bytes, version: specs[cell]?.version ?? 0 });
      else into.delete(`${cell}/${bucket}`);
    }
  }
  return into;
}

const textOf = (stored: Stored): string =>
  JSON.stringify([...stored].sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, { bytes }]) => [key, Array.from(bytes)]));

const copy = ({ view, hash, dense, indices, values }: FeatureVector): FeatureVector => ({
  view,
  hash,
  dense: dense.slice(),
  indices: indices.slice(),
  values: values.slice(),
});

const reversed = (features: FeatureVector): FeatureVector => ({
  ...features,
  indices: features.indices.slice().reverse(),
  values: features.values.slice().reverse(),
});

const text = ({ dense, indices, values }: FeatureVector): string =>
  JSON.stringify([Array.from(dense), Array.from(indices), Array.from(values)]);

function same(actual: unknown, expected: unknown, promise: string): void {
  if (!Object.is(actual, expected)) broken(promise);
}

function broken(promise: string): never {
  throw new MillraceError('internal', `the learner breaks a promise: ${promise}`);
}
