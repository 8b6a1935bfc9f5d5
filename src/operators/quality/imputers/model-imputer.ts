import type { CellSpecs, Learner } from '../../../core/index.js';
import type { StatelessView } from '../../../ml/features/index.js';
import { modelCells, openModel } from '../../../ml/model.js';
import { type ValueCell, valueCell } from '../../../state/index.js';
import type { ImputerSpec } from './imputers.js';

export interface ModelOptions {
  readonly learner: Learner<never, number>;
  readonly view: StatelessView<never>;
  /** Values that the model learns from before it is asked. */
  readonly warmUp: number;
}

/** Before the names of the model's cells. */
const MODEL = '-';

/** How many values a model has learnt from, and whether they are flags, so that a probability is to become one. */
type Learnt = readonly [count: number, areFlags: boolean];

/** What a learner, which learns from the records that have the value, predicts for one that has not. */
export function model({ learner, view, warmUp }: ModelOptions): ImputerSpec {
  return {
    cells: {
      '-learnt': valueCell<Learnt>({ initial: [0, false] }),
      ...modelCells(learner, view.shape, { prefix: MODEL }),
    } as CellSpecs,
    open(opened, name) {
      const learnt = opened['-learnt'] as ValueCell<Learnt>;
      const logic = openModel(learner, view.shape, opened, { prefix: MODEL, name });
      const vectors = view.open();
      return {
        see(value, record, origin) {
          if (logic.learnOne(vectors.vector(record as never), value as never, 1, origin) === 'learnt')
            learnt.set([learnt.get()[0] + 1, typeof value === 'boolean']);
        },
        guess(record) {
          const [count, areFlags] = learnt.get();
          if (count < warmUp) return undefined;
          const predicted = logic.predictOne(vectors.vector(record as never));
          if (!Number.isFinite(predicted)) return undefined;
          return areFlags ? predicted >= 0.5 : predicted;
        },
      };
    },
  };
}
