import type { Duration } from '../../core/duration.js';
import type { FeatureVector, Learner, Refusal } from '../../core/learner.js';
import type { StepContext } from '../../core/operator.js';
import type { Origin } from '../../core/record.js';
import type { Cell, CellSpecs } from '../../core/state.js';
import type { FeatureView } from '../../ml/features/index.js';
import { modelCells, openModel } from '../../ml/model.js';
import { type ModelByKey, modelByKeyCells, openModelByKey } from '../../ml/model-by-key.js';
import { type ValueCell, valueCell } from '../../state/index.js';

/** How an operator hosts a model. */
export interface ModelHosting {
  readonly view: FeatureView;
  /** Updates between two versions. */
  readonly versionEvery: number;
  readonly replayMax?: Duration | undefined;
  /** A model for each key, so many at most; without it, one for all. */
  readonly modelsMax?: number | undefined;
}

type Key = string | number;

/**
 * A model in a step, or one for each key: it predicts and learns, and counts `predicted`, `learned`, `refused`, `refused:<reason>`
 * and, by key, `models_evicted`.
 */
export interface ModelHost<Y, P> {
  /** Fails the step for features of another view. */
  predict(features: FeatureVector, key?: Key): P;
  learn(features: FeatureVector, label: Y, weight: number, origin: Origin, key?: Key): void;
  /** Counts an update that the learner does not see. */
  refuse(reason: Refusal): void;
  /** Updates that the model has learnt. */
  readonly learned: number;
  /** `step.task.updates`, rounded down to `versionEvery`. */
  version(): string;
}

/** Before the names of the model's cells. */
const MODEL = 'model-';

/** The cells of a hosted model. */
export function hostCells(
  learner: Learner<never, unknown>,
  { view: { shape }, replayMax, modelsMax }: ModelHosting,
): CellSpecs {
  const place = { prefix: MODEL, ...(replayMax && { replayMax }) };
  return {
    ...(modelsMax === undefined
      ? modelCells(learner, shape, place)
      : modelByKeyCells(learner, shape, modelsMax, place)),
    learned: valueCell({ initial: 0 }),
  };
}

/** Opens a model on the cells that `hostCells` declared. */
export function hostModel<Y, P>(
  learner: Learner<Y, P>,
  { view, versionEvery, modelsMax }: ModelHosting,
  opened: Readonly<Record<string, Cell>>,
  context: StepContext,
): ModelHost<Y, P> {
  const place = { prefix: MODEL, name: context.step };
  const evicted = () => context.counter('models_evicted').add();
  const model: ModelByKey<Y, P> =
    modelsMax === undefined
      ? openModel(learner, view.shape, opened, place)
      : openModelByKey(learner, view.shape, opened, { ...place, evicted });
  const learned = opened.learned as ValueCell<number>;
  const count = {
    predicted: context.counter('predicted'),
    learned: context.counter('learned'),
    refused: context.counter('refused'),
  };
  const versionOf = versions(context, versionEvery);
  const refuse = (reason: Refusal): void => {
    count.refused.add();
    context.counter(`refused:${reason}`).add();
  };
  return {
    refuse,
    get learned() {
      return learned.get();
    },
    version: () => versionOf(learned.get()),
    predict(features, key = '') {
      if (features.hash !== view.hash)
        context.fail(
          `the features are of view ${features.view} ${features.hash}, the model is for ${view.name} ${view.hash}`,
          'featurize with the view of the model',
        );
      count.predicted.add();
      return model.predictOne(features, key);
    },
    learn(features, label, weight, origin, key = '') {
      const result = model.learnOne(features, label, weight, origin, key);
      if (result !== 'learnt') return refuse(result);
      count.learned.add();
      learned.set(learned.get() + 1);
    },
  };
}

/** Names of model versions; the text is made once a version, not once a record. */
function versions({ step, task }: StepContext, every: number): (updates: number) => string {
  let cut = -1;
  let name = '';
  return (updates) => {
    const reached = updates - (updates % every);
    if (reached !== cut) {
      cut = reached;
      name = `${step}.${task}.${reached}`;
    }
    return name;
  };
}
