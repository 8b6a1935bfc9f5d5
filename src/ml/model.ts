import { type Duration, seconds } from '../core/duration.js';
import { MillraceError } from '../core/errors.js';
import type { FeatureNumbers, FeatureShape, Learner, LearnerLogic, LearnResult } from '../core/learner.js';
import type { Settings } from '../core/operator.js';
import type { Origin } from '../core/record.js';
import type { Cell, CellSpec, CellSpecs } from '../core/state.js';
import { type UpdateLogCell, updateLogCell } from '../state/index.js';
import { layoutVersion } from './features/plan.js';
import { updateReader, updateWriter } from './update-codec.js';

/** What of a learner decides its cells, and what they mean. */
export type AnyLearner = Pick<
  Learner<never, unknown>,
  'kind' | 'settings' | 'structure' | 'revision' | 'classes' | 'cells'
>;

/** Where an operator keeps a model among its cells, and how. */
export interface ModelPlace {
  /** Begins the names of its cells; nothing by default. */
  readonly prefix?: string;
  /** The longest that a restore may apply updates again; 4 s by default. */
  readonly replayMax?: Duration;
}

const UPDATE_LOG = 'update-log';

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
            `the state belongs to another learner, or to other features, than this ${kind}`,
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

/** What applying updates depends on besides the cells: as text, as a log of updates keeps it. */
const headOf = ({ settings, revision = 1 }: AnyLearner): string =>
  JSON.stringify({ ...Object.fromEntries(Object.entries(settings).sort()), revision } satisfies Settings);

/** Why updates that were learnt with other settings cannot be applied again. */
function otherSettings(kind: string, stored: string, own: string): MillraceError {
  const [then, now] = [stored, own].map((head) => JSON.parse(head) as Settings) as [Settings, Settings];
  const changed = [...new Set([...Object.keys(then), ...Object.keys(now)])]
    .filter((name) => then[name] !== now[name])
    .map((name) => `${name} was ${then[name] ?? 'not given'} and is ${now[name] ?? 'not given'}`);
  return new MillraceError(
    'state',
    `the last updates of this ${kind} were learnt with other settings: ${changed.join(', ')}`,
    {
      hint: 'run the topology once with the stored settings and stop it; after a clean stop the model accepts other settings',
      permanent: true,
    },
  );
}

/** The cells that hold a model: the log of its updates, and the learner's own. What an operator declares to host a learner. */
export function modelCells(learner: AnyLearner, shape: FeatureShape, place: ModelPlace = {}): CellSpecs {
  const { prefix = '', replayMax = seconds(4) } = place;
  const head = headOf(learner);
  const log = updateLogCell({
    replayMaxMs: replayMax,
    head,
    refusal: (stored) => otherSettings(learner.kind, stored, head),
  });
  return Object.fromEntries(
    // The log decides what an epoch writes, so it comes first.
    Object.entries<CellSpec>({ [UPDATE_LOG]: log, ...learner.cells(shape) }).map(([name, spec]) => [
      prefix + name,
      identified(spec, identityOf(learner, shape, spec), learner.kind),
    ]),
  );
}

/** The learner's own among the cells of a model. */
export const learnerCells = (
  learner: Pick<AnyLearner, 'cells'>,
  shape: FeatureShape,
  opened: Readonly<Record<string, Cell>>,
  prefix = '',
) => Object.fromEntries(Object.keys(learner.cells(shape)).map((name) => [name, opened[prefix + name] as Cell]));

/** Opens a learner alone on the cells that `modelCells` declared: what it learns is not logged. */
export const openLogic = <Y, P>(
  learner: Learner<Y, P>,
  shape: FeatureShape,
  opened: Readonly<Record<string, Cell>>,
): LearnerLogic<Y, P> => learner.open(learnerCells(learner, shape, opened), shape);

/** A learner at work in an operator. */
export interface Model<Y, P> {
  predictOne(features: FeatureNumbers): P;
  /** Learns from a row, and logs the update with the origin of the record that brought it. */
  learnOne(features: FeatureNumbers, label: Y, weight: number, origin: Origin): LearnResult;
}

/**
 * Opens a model on the cells that `modelCells` declared.
 *
 * Guarantees: after a restore it has the bits that it had at the checkpoint. What was stored of it is its state as last written
 * whole, and the updates since, which are applied again in their order: by `catchUp` of the log, or else at the first use.
 */
export function openModel<Y, P>(
  learner: Learner<Y, P>,
  shape: FeatureShape,
  opened: Readonly<Record<string, Cell>>,
  { prefix = '', name = '' }: ModelPlace & { /** Unique within a task. */ readonly name?: string } = {},
): Model<Y, P> {
  const own = learnerCells(learner, shape, opened, prefix);
  const logic = learner.open(own, shape);
  const log = loggedLearning<Y>(
    learner,
    shape,
    opened,
    { prefix, name, cells: Object.values(own) },
    (features, label, weight) => logic.learnOne(features, label, weight),
  );
  return {
    predictOne(features) {
      log.settle();
      return logic.predictOne(features);
    },
    learnOne: log.learnOne,
  };
}

/** Learning that is logged. */
interface LoggedLearning<Y> {
  /** Applies the updates that a restore found, if they were not yet. */
  settle(): void;
  /** `key`: that of the model, of models by key. */
  learnOne(features: FeatureNumbers, label: Y, weight: number, origin: Origin, key?: string | number): LearnResult;
}

/** Logs what `learn` learns into `cells`, and learns it again after a restore. */
export function loggedLearning<Y>(
  { kind }: Pick<AnyLearner, 'kind'>,
  shape: FeatureShape,
  opened: Readonly<Record<string, Cell>>,
  { prefix, name, cells }: { readonly prefix: string; readonly name: string; readonly cells: readonly Cell[] },
  learn: (features: FeatureNumbers, label: Y, weight: number, key?: string | number) => LearnResult,
): LoggedLearning<Y> {
  const log = opened[prefix + UPDATE_LOG] as UpdateLogCell;
  const write = updateWriter(shape);
  const read = updateReader(shape);
  const room = (bytes: number) => log.room(bytes);
  log.cover({
    cells,
    name: name + prefix,
    apply: (chunk) =>
      read(chunk, ({ features, label, weight, key, topic, partition, offset }) => {
        const result = learn(features, label as Y, weight, key);
        if (result === 'learnt') return;
        throw new MillraceError('state', `the restore of this ${kind} refuses an update: ${result}`, {
          where: `${topic}[${partition}]@${offset}`,
          hint: 'run the code that wrote it and stop it cleanly; raise `revision` when the code of a learner changes',
          permanent: true,
        });
      }),
  });
  // Asked at every row: a flag of its own costs less than the size of a map.
  let isSettled = false;
  const settle = (): void => {
    if (isSettled) return;
    log.settle();
    isSettled = true;
  };
  return {
    settle,
    learnOne(features, label, weight, origin, key) {
      settle();
      log.beginUpdate();
      const result = learn(features, label, weight, key);
      log.endUpdate();
      if (result === 'learnt') write(room, features, label, weight, origin, key);
      return result;
    },
  };
}
