import type { Duration } from '../../core/duration.js';
import type { FeatureVector, LearnResult } from '../../core/learner.js';
import type { StepContext } from '../../core/operator.js';
import type { Cell, CellSpecs } from '../../core/state.js';
import type { FeatureView } from '../../ml/features/index.js';
import type { ModelPlace } from '../../ml/model.js';
import { type ValueCell, valueCell } from '../../state/index.js';

/** How an operator hosts a model. */
export interface ModelHosting {
  readonly view: FeatureView;
  /** Updates between two versions. */
  readonly updatesPerVersion: number;
}

/** Counts what a model does in a step, as `predicted`, `learned`, `refused` and `refused:<reason>`, and names its versions. */
export interface ModelHost {
  /** Counts a prediction. Fails the step for features of another view. */
  predicts(features: FeatureVector): void;
  /** Counts an update, or why there was none. */
  learns(result: LearnResult): void;
  /** Updates that the model has learnt. */
  learned(): number;
  /** `step.task.updates`, rounded down to `updatesPerVersion`. */
  version(): string;
}

/** Where the cells of a hosted model are. */
export const hostPlace = (replayMax?: Duration): ModelPlace => ({ prefix: 'model-', ...(replayMax && { replayMax }) });

/** The cells of a model, with what its host keeps. */
export const hostCells = (model: CellSpecs): CellSpecs => ({ ...model, learned: valueCell({ initial: 0 }) });

/** Hosts a model in a step with the cells that `hostCells` declared. */
export function hostModel(
  { view, updatesPerVersion }: ModelHosting,
  opened: Readonly<Record<string, Cell>>,
  context: StepContext,
): ModelHost {
  const learned = opened.learned as ValueCell<number>;
  const count = {
    predicted: context.counter('predicted'),
    learned: context.counter('learned'),
    refused: context.counter('refused'),
  };
  const versionOf = versions(context, updatesPerVersion);
  return {
    learned: () => learned.get(),
    version: () => versionOf(learned.get()),
    predicts(features) {
      if (features === undefined)
        context.fail(
          'the record has no field `features`',
          'add .via(id, featurize(view)) before this step, with the view of the model, and keep the field in between',
        );
      if (features.hash !== view.hash)
        context.fail(
          `the features are of view ${features.view} ${features.hash}, the model is for ${view.name} ${view.hash}`,
          'featurize with the view of the model',
        );
      count.predicted.add();
    },
    learns(result) {
      if (result === 'learnt') {
        count.learned.add();
        learned.set(learned.get() + 1);
        return;
      }
      count.refused.add();
      context.counter(`refused:${result}`).add();
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
