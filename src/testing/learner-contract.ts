import { MillraceError } from '../core/errors.js';
import {
  type FeatureNumbers,
  type FeatureShape,
  type FeatureVector,
  type Learner,
  type LearnerLogic,
  type LearnResult,
  learnMany,
  predictMany,
  type Update,
} from '../core/learner.js';

import type { Cell, CellSpecs, EpochEnd } from '../core/state.js';
import { modelCells, openLogic, openModel } from '../ml/model.js';
import { numberCells } from '../ml/model-by-key.js';
import type { Float64Cell } from '../state/index.js';
import { originAt } from './contract.js';

/** A row to try a learner on. */
export interface LearnerRow<Y> {
  readonly features: FeatureVector;
  readonly label: Y;
  /** 1 by default. */
  readonly weight?: number;
}

/** What a learner promises beyond what every learner does. */
export interface LearnerPromises {
  /** A row of weight 2 is learnt as the row twice, but for rounding. */
  readonly weightIsCount?: boolean;
}

/**
 * A learner with its own cells, for its test.
 *
 * @example
 * const learner = openLearner(passiveAggressive(), { denseSize: 2, hashedSize: 0 });
 * learner.learnOne(featureVector([1, 0]), true);
 */
export function openLearner<Y, P>(learner: Learner<Y, P>, shape: FeatureShape): LearnerLogic<Y, P> {
  return openedFrom(learner, modelCells(learner, shape), shape).logic;
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
 * - a prediction is a number of the kind that `output` says: a probability lies between 0 and 1, an anomaly too, distances are
 *   not below 0, scores are one for each class and add up to 1;
 * - the same rows give the same predictions and the same state, bit for bit;
 * - many rows at once give what a loop gives;
 * - a snapshot and restore at every row change no prediction and no state, bit for bit; nor does a restore from a snapshot and the
 *   updates since, which are learnt again without predictions between them;
 * - stored bytes do not change when the learner learns more;
 * - rows are not changed, and not used after they were learnt;
 * - the order of a row's hashed coordinates does not matter (except for rounding: 1e-9);
 * - hashed coordinates may appear and disappear;
 * - if its state is of fixed size (`float64Cell` only), its numbers may be replaced by those of another model, before `refresh`;
 * - a row with a number that is not finite is refused and changes nothing (NaN may be learnt where `missing` is `native`), and so is
 *   one whose weight is not a finite number above 0; it is predicted all the same;
 * - its state is refused by a learner of another kind, structure or layout;
 * - if it promises so, a row of weight 2 is learnt as the row twice.
 *
 * @example checkLearner(logisticRegression({ optimizer: ftrl({ alpha: 0.1 }) }), rows, { denseSize: 2, hashedSize: 16 });
 * @throws MillraceError `internal` that names the broken promise
 */
export function checkLearner<Y, P>(
  learner: Learner<Y, P>,
  rows: readonly LearnerRow<Y>[],
  shape: FeatureShape,
  { weightIsCount = false }: LearnerPromises = {},
): void {
  const first = rows[0];
  if (!first)
    throw new MillraceError('config', 'no rows to check the learner on', { hint: 'give it at least one row' });
  const specs = modelCells(learner, shape);
  const open = (stored?: Stored): Opened<Y, P> => openedFrom(learner, specs, shape, stored);
  const predict = ({ logic }: Opened<Y, P>, features: FeatureNumbers) => numbersOf(learner, logic.predictOne(features));
  const step = (opened: Opened<Y, P>, { features, label, weight }: LearnerRow<Y>): number[] => {
    const prediction = predict(opened, features);
    opened.logic.learnOne(features, label, weight);
    return prediction;
  };

  const plain = open();
  const expected = rows.map((row) => step(plain, row));
  const finalState = store(plain.cells, specs, new Map());

  const again = open();
  rows.forEach((row, i) => {
    const own = copy(row.features);
    for (let repeat = 0; repeat < 2; repeat++) predict(again, own);
    same(step(again, { ...row, features: own }), expected[i], `row ${i}: predicting twice changed the prediction`);
    same(text(own), text(row.features), `row ${i}: the learner changed the row`);
    own.dense.fill(Number.NaN); // whoever kept a reference will show it
    own.indices.fill(0);
  });
  same(textOf(store(again.cells, specs, new Map())), textOf(finalState), 'the same rows left another state');

  const quiet = open(finalState);
  for (const { features } of rows) predict(quiet, features);
  same(store(quiet.cells, specs, new Map()).size, 0, 'predicting changed the state');

  checkMany(learner, open, rows, (opened) => textOf(store(opened.cells, specs, new Map())));

  const stored: Stored = new Map();
  let interrupted = open();
  rows.forEach((row, i) => {
    same(step(interrupted, row), expected[i], `row ${i}: restored, it predicted otherwise`);
    store(interrupted.cells, specs, stored);
    const before = textOf(stored);
    interrupted.logic.learnOne(row.features, row.label, row.weight);
    same(textOf(stored), before, `row ${i}: stored bytes changed with later learning`);
    interrupted = open(stored);
  });
  same(textOf(stored), textOf(finalState), 'stored at every row, it kept another state');

  checkUpdates(learner, rows, shape, expected, textOf(finalState));

  const shuffled = open();
  rows.forEach((row, i) => {
    const prediction = step(shuffled, { ...row, features: reversed(row.features) });
    near(prediction, expected[i] as number[], `row ${i}: the order of coordinates mattered`);
  });

  checkRefusal(learner, open(finalState), specs, first);
  checkRefresh(learner, shape, [open(), open(finalState)], rows);
  checkEmerging(learner, open(), first, shape);
  checkIdentity(learner, finalState, shape);
  if (weightIsCount) checkWeights(learner, open, rows);
}

/** Rows after which the updates give way to a snapshot. */
const SNAPSHOT_ROWS = 16;

/** Restores at every row from the last snapshot and the updates since. */
function checkUpdates<Y, P>(
  learner: Learner<Y, P>,
  rows: readonly LearnerRow<Y>[],
  shape: FeatureShape,
  expected: readonly (readonly number[])[],
  finalState: string,
): void {
  const specs = modelCells(learner, shape);
  const stored: Stored = new Map();
  rows.forEach(({ features, label, weight = 1 }, i) => {
    const cells = restoredCells(specs, stored);
    // However much a row changes, its update is less.
    for (const cell of Object.values(cells)) Object.defineProperty(cell, 'changedBytes', { value: Number.MAX_VALUE });
    const model = openModel(learner, shape, cells);
    const prediction = numbersOf(learner, model.predictOne(features));
    same(prediction, expected[i], `row ${i}: restored from a snapshot and updates, it predicted otherwise`);
    model.learnOne(features, label, weight, { ...noOrigin, offset: i });
    const isLast = (i + 1) % SNAPSHOT_ROWS === 0 || i === rows.length - 1;
    store(cells, specs, stored, { busyMs: 0, isLast });
  });
  same(textOf(stored), finalState, 'restored from updates, it kept another state');
}

const noOrigin = originAt(0);

function checkMany<Y, P>(
  learner: Learner<Y, P>,
  open: () => Opened<Y, P>,
  rows: readonly LearnerRow<Y>[],
  stateOf: (opened: Opened<Y, P>) => string,
): void {
  const [one, many] = [open(), open()];
  const results = rows.map(({ features, label, weight }) => one.logic.learnOne(features, label, weight));
  const batch: LearnResult[] = [];
  learnMany(many.logic, rows as readonly Update<Y>[], (result, i) => {
    batch[i] = result;
  });
  same(batch, results, 'learnMany gave other results than a loop');
  const predictions: number[][] = [];
  predictMany(
    many.logic,
    rows.map(({ features }) => features),
    (prediction, i) => {
      predictions[i] = numbersOf(learner, prediction);
    },
  );
  rows.forEach(({ features }, i) => {
    const alone = numbersOf(learner, one.logic.predictOne(features));
    same(predictions[i], alone, `row ${i}: predictMany or learnMany gave another prediction than a loop`);
  });
  same(stateOf(many), stateOf(one), 'learnMany left another state than a loop');
}

function checkRefusal<Y, P>(
  learner: Learner<Y, P>,
  { cells, logic }: Opened<Y, P>,
  specs: CellSpecs,
  { features, label }: LearnerRow<Y>,
): void {
  const refuse = (result: LearnResult, what: string) => {
    if (result === 'learnt') broken(`a row with ${what} was learnt`);
    same(store(cells, specs, new Map()).size, 0, `a row with ${what} was refused, and changed the state`);
  };
  for (const weight of [0, -1, Number.NaN, Number.POSITIVE_INFINITY])
    refuse(logic.learnOne(features, label, weight), `the weight ${weight}`);
  for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
    const poisoned = copy(features);
    const target = poisoned.dense.length > 0 ? poisoned.dense : poisoned.values;
    if (target.length === 0) return;
    target[target.length - 1] = bad;
    if (learner.missing !== 'native') refuse(logic.learnOne(poisoned, label), `the feature ${bad}`);
    numbersOf(learner, logic.predictOne(poisoned), ` for a row with ${bad}`);
  }
}

/** Gives an empty model the numbers of another one, as models by key are exchanged. */
function checkRefresh<Y, P>(
  learner: Learner<Y, P>,
  shape: FeatureShape,
  [empty, learnt]: readonly [Opened<Y, P>, Opened<Y, P>],
  rows: readonly LearnerRow<Y>[],
): void {
  const into = numberCells(learner, shape, empty.cells);
  const from = numberCells(learner, shape, learnt.cells);
  if (!into || !from) return;
  const predict = ({ logic }: Opened<Y, P>) =>
    rows.flatMap((row) => numbersOf(learner, logic.predictOne(row.features)));
  predict(empty);
  into.forEach(({ values }, i) => {
    values.set((from[i] as Float64Cell).values);
  });
  empty.logic.refresh?.();
  same(predict(empty), predict(learnt), 'given the numbers of another model, it predicted otherwise');
}

function checkEmerging<Y, P>(
  learner: Learner<Y, P>,
  { logic }: Opened<Y, P>,
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
    numbersOf(learner, logic.predictOne(vector));
    logic.learnOne(vector, label);
  }
}

function checkIdentity<Y, P>(learner: Learner<Y, P>, stored: Stored, shape: FeatureShape): void {
  const others: [string, Learner<Y, P>, FeatureShape][] = [
    ['kind', { ...learner, kind: `${learner.kind}, another` }, shape],
    ['structure', { ...learner, structure: { ...learner.structure, another: true } }, shape],
    ['layout of features', learner, { ...shape, layout: (shape.layout ?? 1) + 1 }],
  ];
  if (stored.size === 0) return;
  for (const [what, other, otherShape] of others) {
    try {
      openedFrom(other, modelCells(other, otherShape), otherShape, stored);
    } catch (error) {
      if (error instanceof MillraceError && error.code === 'state') continue;
      throw error;
    }
    broken(`its state was read under another ${what}`);
  }
}

function checkWeights<Y, P>(learner: Learner<Y, P>, open: () => Opened<Y, P>, rows: readonly LearnerRow<Y>[]): void {
  const [weighted, repeated] = [open(), open()];
  rows.forEach(({ features, label }, i) => {
    weighted.logic.learnOne(features, label, 2);
    for (let repeat = 0; repeat < 2; repeat++) repeated.logic.learnOne(features, label);
    const [a, b] = [weighted, repeated].map(({ logic }) => numbersOf(learner, logic.predictOne(features)));
    near(a as number[], b as number[], `row ${i}: a weight of 2 is not learning twice`);
  });
}

/** A prediction as numbers, checked to be of the kind that the learner declares. */
function numbersOf<Y, P>({ output, classes = [] }: Learner<Y, P>, prediction: P, when = ''): number[] {
  if (output === 'scores') {
    if (!(prediction instanceof Float64Array)) broken('scores are no Float64Array');
    const scores = Array.from(prediction);
    if (scores.length !== classes.length) broken(`there are ${scores.length} scores of ${classes.length} classes`);
    const sum = scores.reduce((total, score) => total + score, 0);
    if (!(Math.abs(sum - 1) <= 1e-9) || scores.some((score) => score < 0)) broken(`scores are ${scores.join(', ')}`);
    return scores;
  }
  if (output === 'distances') {
    if (!(prediction instanceof Float64Array)) broken('distances are no Float64Array');
    if (!prediction.every((distance) => distance >= 0)) broken(`distances are ${prediction.join(', ')}`);
    return Array.from(prediction);
  }
  if (typeof prediction !== 'number' || Number.isNaN(prediction)) broken(`a prediction is not a number${when}`);
  const isShare = output === 'probability' || output === 'anomaly';
  if (isShare && !(prediction >= 0 && prediction <= 1)) broken(`a prediction is ${prediction}, no ${output}`);
  return [prediction];
}

function openedFrom<Y, P>(
  learner: Learner<Y, P>,
  specs: CellSpecs,
  shape: FeatureShape,
  stored: Stored = new Map(),
): Opened<Y, P> {
  const cells = restoredCells(specs, stored);
  return { cells, logic: openLogic(learner, shape, cells) };
}

function restoredCells(specs: CellSpecs, stored: Stored): Record<string, Cell> {
  const cells = Object.fromEntries(Object.entries(specs).map(([name, spec]) => [name, spec.open()]));
  for (const { cell, bucket, bytes, version } of stored.values()) cells[cell]?.restore(bucket, bytes, version);
  return cells;
}

/** Takes over the changes of all cells, as an epoch does. */
function store(cells: Readonly<Record<string, Cell>>, specs: CellSpecs, into: Stored, end?: EpochEnd): Stored {
  for (const [cell, open] of Object.entries(cells)) {
    for (const { bucket, bytes } of open.takeChanges(end)) {
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
  if (Array.isArray(actual) && Array.isArray(expected)) {
    if (actual.length !== expected.length || actual.some((each, i) => !Object.is(each, expected[i]))) broken(promise);
  } else if (!Object.is(actual, expected)) broken(promise);
}

function near(actual: readonly number[], expected: readonly number[], promise: string): void {
  actual.forEach((each, i) => {
    const other = expected[i] as number;
    if (each === other) return; // both may be infinite
    if (!(Math.abs(each - other) <= 1e-9 * Math.max(1, Math.abs(other)))) broken(promise);
  });
}

function broken(promise: string): never {
  throw new MillraceError('internal', `the learner breaks a promise: ${promise}`);
}
