import type { FeatureNumbers, FeatureShape, Learner, LearnResult } from '../core/learner.js';
import type { Origin } from '../core/record.js';
import type { Cell, CellSpecs } from '../core/state.js';
import { type Float64Cell, type NumbersByKeyCell, numbersByKeyCell } from '../state/index.js';
import { type AnyLearner, learnerCells, loggedLearning, type ModelPlace, modelCells } from './model.js';

type Key = string | number;

/** A model for each key of records, at work in an operator. */
export interface ModelByKey<Y, P> {
  predictOne(features: FeatureNumbers, key: Key): P;
  learnOne(features: FeatureNumbers, label: Y, weight: number, origin: Origin, key: Key): LearnResult;
}

/** The cell with the numbers of the models, beside those of the pooled one. */
const MODELS = 'models';

/** The open cells of a learner whose state is of fixed size; `undefined` for one that grows. */
export function numberCells(
  learner: Pick<AnyLearner, 'cells'>,
  shape: FeatureShape,
  opened: Readonly<Record<string, Cell>>,
): Float64Cell[] | undefined {
  const specs = Object.entries(learner.cells(shape));
  return specs.every(([, { kind }]) => kind === 'float64')
    ? specs.map(([name]) => opened[name] as Float64Cell)
    : undefined;
}

const openAlone = (learner: Pick<AnyLearner, 'cells'>, shape: FeatureShape): Record<string, Cell> =>
  Object.fromEntries(Object.entries(learner.cells(shape)).map(([name, spec]) => [name, spec.open()]));

/** How many numbers a model of this learner has; `undefined` if it grows. */
export const modelWidth = (learner: Pick<AnyLearner, 'cells'>, shape: FeatureShape): number | undefined =>
  numberCells(learner, shape, openAlone(learner, shape))?.reduce((sum, { values }) => sum + values.length, 0);

/** The learner of the pooled model, with the other models beside its cells. */
const withModels = (learner: AnyLearner, width: number, modelsMax: number): AnyLearner => ({
  ...learner,
  settings: { ...learner.settings, modelsMax },
  cells: (shape) => ({ ...learner.cells(shape), [MODELS]: numbersByKeyCell<Key>({ width, entriesMax: modelsMax }) }),
});

/** The cells of models by key: those of a pooled model, and the numbers of the others. The learner must be of fixed size. */
export const modelByKeyCells = (
  learner: AnyLearner,
  shape: FeatureShape,
  modelsMax: number,
  place: ModelPlace,
): CellSpecs => modelCells(withModels(learner, modelWidth(learner, shape) as number, modelsMax), shape, place);

/**
 * Opens models by key on the cells that `modelByKeyCells` declared. A pooled model learns from all rows. It answers for a key that
 * has no model yet, and its numbers are those that a model begins with, at the first label of the key. Of more than `modelsMax` models
 * the one that learned least recently is dropped, and `evicted` called.
 *
 * Guarantees: those of `openModel`, for all models. Their numbers are exchanged in one learner, so a model takes no more than its
 * numbers.
 */
export function openModelByKey<Y, P>(
  learner: Learner<Y, P>,
  shape: FeatureShape,
  opened: Readonly<Record<string, Cell>>,
  { prefix = '', name = '', evicted }: ModelPlace & { readonly name?: string; evicted(): void },
): ModelByKey<Y, P> {
  const models = opened[prefix + MODELS] as NumbersByKeyCell<Key>;
  const pooledCells = learnerCells(learner, shape, opened, prefix);
  const pooled = learner.open(pooledCells, shape);
  const scratchCells = openAlone(learner, shape);
  const scratch = learner.open(scratchCells, shape);
  const pooledNumbers = (numberCells(learner, shape, pooledCells) ?? []).map(({ values }) => values);
  const numbers = (numberCells(learner, shape, scratchCells) ?? []).map(({ values }) => values);
  /** Whose numbers are in the scratch cells. */
  let loaded: Key | undefined;

  const load = (key: Key, at: number): void => {
    if (key === loaded) return;
    const { values } = models;
    let from = at;
    for (const part of numbers) for (let i = 0; i < part.length; i++) part[i] = values[from++] as number;
    scratch.refresh?.();
    loaded = key;
  };
  const begin = (key: Key): void => {
    numbers.forEach((part, i) => {
      part.set(pooledNumbers[i] as Float64Array);
    });
    scratch.refresh?.();
    loaded = key;
  };
  const store = (key: Key): void => {
    let to = models.use(key);
    const { values } = models;
    for (const part of numbers) for (let i = 0; i < part.length; i++) values[to++] = part[i] as number;
  };

  const log = loggedLearning<Y>(
    learner,
    shape,
    opened,
    { prefix, name, cells: [...Object.values(pooledCells), models] },
    (features, label, weight, keyOf) => {
      const key = keyOf as Key;
      const at = models.find(key);
      if (at < 0) begin(key);
      else load(key, at);
      const result = scratch.learnOne(features, label, weight);
      if (result !== 'learnt') return result;
      store(key);
      return pooled.learnOne(features, label, weight);
    },
  );
  return {
    predictOne(features, key) {
      log.settle();
      const at = models.find(key);
      if (at < 0) return pooled.predictOne(features);
      load(key, at);
      return scratch.predictOne(features);
    },
    learnOne(features, label, weight, origin, key) {
      log.settle();
      const before = models.evicted;
      const result = log.learnOne(features, label, weight, origin, key);
      if (models.evicted > before) evicted();
      return result;
    },
  };
}
