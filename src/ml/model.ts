import { MillraceError } from '../core/errors.js';
import type { FeatureShape, Learner, LearnerLogic } from '../core/learner.js';
import type { Cell, CellSpec, CellSpecs } from '../core/state.js';
import { layoutVersion } from './features/plan.js';

type AnyLearner = Pick<Learner<never, unknown>, 'kind' | 'structure' | 'classes' | 'cells'>;

/**
 * The version of a model's cells: a digest of the learner's kind, the settings that say what its numbers mean, and the layout
 * of its features. So no learner reads the numbers of another one.
 */
const identityOf = ({ kind, structure = {}, classes = [] }: AnyLearner, shape: FeatureShape, cell: CellSpec): number =>
  layoutVersion([kind, Object.entries(structure).sort(), classes, shape, cell.kind, cell.version]);

/** A cell whose restore refuses what another learner wrote. */
function identified(spec: CellSpec, version: number, kind: string): CellSpec {
  return {
    ...spec,
    version,
    open() {
      const cell = spec.open();
      const restore = cell.restore.bind(cell);
      cell.restore = (bucket, bytes, from) => {
        if (from !== version)
          throw new MillraceError(
            'state',
            `the state is of another learner, or for other features, than this ${kind}`,
            {
              hint: 'give the step a new id to start from empty state, or run with the learner and the view that wrote it',
              permanent: true,
            },
          );
        restore(bucket, bytes, spec.version);
      };
      return cell;
    },
  };
}

/** The cells that hold a model, by name with a prefix: what an operator declares to host a learner. */
export function modelCells(learner: AnyLearner, shape: FeatureShape, prefix = ''): CellSpecs {
  return Object.fromEntries(
    Object.entries(learner.cells(shape)).map(([name, spec]) => [
      prefix + name,
      identified(spec, identityOf(learner, shape, spec), learner.kind),
    ]),
  );
}

/** Opens a learner on the cells that `modelCells` declared. */
export function openModel<Y, P>(
  learner: Learner<Y, P>,
  shape: FeatureShape,
  opened: Readonly<Record<string, Cell>>,
  prefix = '',
): LearnerLogic<Y, P> {
  const own = Object.keys(learner.cells(shape)).map((name) => [name, opened[prefix + name] as Cell]);
  return learner.open(Object.fromEntries(own), shape);
}
