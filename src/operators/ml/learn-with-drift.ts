import type { FeatureVector, Learner } from '../../core/learner.js';
import type { Adds, Free, MultiInputSplitter, Problem, StepContext } from '../../core/operator.js';
import type { Origin } from '../../core/record.js';
import type { DriftDetector } from '../../ml/drift/index.js';
import {
  type DriftAction,
  type DriftPlan,
  driftActions,
  driftingCells,
  hasDummy,
  type ModelChange,
  openDriftingModel,
  ROLES,
  slotsOf,
} from '../../ml/drifting-model.js';
import { greatest, isUsable } from '../../ml/metrics/labelled.js';
import { type Float64Cell, float64Cell } from '../../state/index.js';
import { type LabelOptions, learnFromLabels } from './learn-from-labels.js';
import type { LabelForm, LearnedBy } from './learned.js';
import { hasPolicies } from './policed-labels.js';

/** What `learn` watches, and what it does where that changes. */
export interface LearnDrift<Y = boolean, P = number> {
  /** What finds the change: `adwin()`, `hddmA()`, ... It takes errors (1 and 0), of numbers how far they were off. */
  readonly detector: DriftDetector;
  /**
   * `event`: tell it. `warn`: also begin a second learner from here, and measure it as `challenger`. `replace`: by it, once it is the better
   * one. `reset`: the model begins anew.
   */
  readonly act: DriftAction;
  /** What is watched instead of errors; then falls are acted on too, and not only rises. */
  readonly of?: (prediction: NoInfer<P>, label: NoInfer<Y>) => number | boolean;
  /** Labels by which `replace` compares the challenger with the model, again and again (default: 1,000). */
  readonly compareLabels?: number;
}

/** The options of `learn` with an answer to drift. */
export interface LearnDriftOptions<Row, Label, As extends string, B extends string, Y = boolean, P = number>
  extends LabelOptions<Row, Label, As, B, Y, P> {
  /**
   * Watches errors by `detector`, or what `of` says, and acts where that changes (`act`: `event`, `warn`, `replace` or `reset`). The step then has
   * two outputs, `predicted` and `drifts`.
   */
  readonly drift: LearnDrift<Y, P>;
}

/** A warning, a drift, or a challenger that has taken over, as a row for a table. */
export interface ModelDriftRow extends ModelChange {
  readonly detector: string;
  readonly act: DriftAction;
  /** The step whose model it is. */
  readonly step: string;
  /** The record with the label. */
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  /** Milliseconds since 1970. */
  readonly eventTime: number;
}

/**
 * The columns of a ClickHouse table of what `learn` finds with `drift`.
 *
 * @example drifts.to('drifts', clickhouse.tableSink({ table: 'drifts', columns: modelDriftColumns, orderBy: ['eventTime'] }));
 */
export const modelDriftColumns = Object.freeze({
  event: 'LowCardinality(String)',
  statistic: 'Float64',
  threshold: 'Float64',
  before: 'Nullable(Float64)',
  after: 'Nullable(Float64)',
  labels: 'UInt64',
  detector: 'LowCardinality(String)',
  act: 'LowCardinality(String)',
  step: 'LowCardinality(String)',
  topic: 'LowCardinality(String)',
  partition: 'UInt32',
  offset: 'UInt64',
  eventTime: 'DateTime64(3)',
}) satisfies Readonly<Record<keyof ModelDriftRow, string>>;

/** Counters of what happens to a model. */
const COUNTERS = { warning: 'warnings', drift: 'drifts', replaced: 'replaced' } as const;

/** Sums of a window: labels and losses of the challenger, and of the dummy's model. */
const BESIDE = 'beside';
const BESIDE_NAMES = ['challenger', 'dummy'] as const;

/** `learn` with a detector of drift. */
export function learnWithDrift<Row, Label, const As extends string, const B extends string, Y, P>(
  learner: Learner<Y, P>,
  options: LearnDriftOptions<Row, Label, As, B, Y, P>,
): MultiInputSplitter<
  Row & { readonly features: FeatureVector } & Free<As>,
  { labels: Label },
  { predicted: Adds<{ readonly [K in As]: LearnedBy<Y, P, B> }>; drifts: ModelDriftRow }
> {
  const {
    drift: { detector, act, of, compareLabels = 1_000 },
    baselines = {},
    view: { shape },
  } = options;
  const plan: DriftPlan = { detector, act, onlyRises: of === undefined, compareLabels };
  const width = learner.classes?.length ?? 1;
  const slots = slotsOf(act);
  const problems = [
    ...problemsOf(learner, options.drift, Object.keys(baselines), compareLabels),
    ...(hasPolicies(options.label)
      ? [
          {
            message: 'drift with late, missing or corrected labels',
            hint: 'a detector takes each label once and in order: leave out `label.late`, `label.missing` and `label.corrections`, or `drift`',
          },
        ]
      : []),
  ];
  // Beside a row waits what each learner said and which one it was; then what the dummy's model said.
  const numbers = slots * (width + 1) + (hasDummy(act) ? width : 0);
  const {
    kind,
    settings,
    problems: all,
    shape: stateful,
  } = learnFromLabels<Row, Label, As, B, Y, P, LearnedBy<Y, P, B>>({
    kind: 'learn',
    learner,
    options,
    settings: {
      learner: learner.kind,
      ...learner.settings,
      drift: detector.kind,
      ...Object.fromEntries(Object.entries(detector.settings).map(([name, value]) => [`drift.${name}`, value])),
      'drift.act': act,
      ...(act === 'replace' && { 'drift.compareLabels': compareLabels }),
    },
    problems,
    beside: { numbers, of: `drift: ${act}` },
    cells: (place) => ({ ...driftingCells(learner, plan, shape, place), [BESIDE]: float64Cell({ size: 4 }) }),
    open(form, opened, place, context) {
      const model = openDriftingModel(learner, plan, shape, opened, place);
      const count = (name: string, by = 1) => context.counter(name).add(by);
      const first = form.judge.width + Object.keys(baselines).length;
      const saidBy = (slot: number): number => first + slot * width;
      const bornAt = (slot: number): number => first + slots * width + slot;
      const dummyAt = first + slots * (width + 1);
      const beside = opened[BESIDE] as Float64Cell;
      const watched = watcher<Y, P>(form, width, of);
      /** Adds a loss to the window's sums of the challenger (0) or of the dummy's model (1). */
      const note = (which: 0 | 1, loss: number): void => {
        beside.values[2 * which] = (beside.values[2 * which] as number) + 1;
        beside.values[2 * which + 1] = (beside.values[2 * which + 1] as number) + loss;
        beside.touch(0);
      };
      return {
        shown: form.shown,
        predict(features, said) {
          said.fill(0, first);
          for (let slot = 0; slot < slots; slot++) said[bornAt(slot)] = -1;
          model.predictOne(features, (prediction, slot) => {
            form.write(prediction, said, saidBy(slot));
            said[bornAt(slot)] = model.birthOf(slot);
          });
          const own = saidBy(model.slotOf(ROLES.model));
          said.copyWithin(0, own, own + width);
          if (!hasDummy(act)) return;
          const dummy = saidBy(model.slotOf(ROLES.dummy));
          said.copyWithin(dummyAt, dummy, dummy + width);
        },
        learn({ features, said }, label, weight, origin, emit) {
          const truth = form.truthOf(label) as number;
          // What a learner said that has ended since says nothing of the one in its place.
          const isOf = (slot: number): boolean => slot >= 0 && said[bornAt(slot)] === model.birthOf(slot);
          const lossOf = (role: number): number | null => {
            const slot = model.slotOf(role);
            return isOf(slot) ? form.lossOf(said, saidBy(slot), truth) : null;
          };
          const own = model.slotOf(ROLES.model);
          const x = isOf(own) ? watched(said, saidBy(own), label, truth) : null;
          const isTaken = x !== null && (detector.values === 'shares' ? x >= 0 && x <= 1 : isUsable(x));
          if (!isTaken) count('unwatched');
          const challenger = lossOf(ROLES.challenger);
          if (challenger !== null) note(0, challenger);
          if (hasDummy(act)) note(1, form.lossOf(said, dummyAt, truth));
          const losses = act === 'replace' ? Object.values(ROLES).map(lossOf) : [];
          const dummiesBefore = model.dummyDrifts();
          const result = model.learnOne(features, label, weight, origin, [isTaken ? x : null, ...losses]);
          if (result !== 'learnt') return result;
          if (model.dummyDrifts() > dummiesBefore) count('dummy_drifts');
          for (const change of model.changes) {
            count(COUNTERS[change.event]);
            emit(rowOf(change, detector.kind, act, context, origin), undefined, 1);
          }
          return result;
        },
        finish(endMs) {
          const { values } = beside;
          BESIDE_NAMES.forEach((name, i) => {
            const labels = values[2 * i] as number;
            const loss = (values[2 * i + 1] as number) / labels;
            if (labels > 0) context.measure(...measureOf(form, name, loss), endMs, { weight: labels });
          });
          values.fill(0);
          beside.touch(0);
        },
      };
    },
  });
  return {
    kind,
    settings,
    ...(all && { problems: all }),
    shape: { ...stateful, outputs: ['predicted', 'drifts'] },
  };
}

const measureOf = ({ kind }: LabelForm, name: string, meanLoss: number): [name: string, value: number] =>
  kind === 'number' ? [`rmse:${name}`, Math.sqrt(meanLoss)] : [`log_loss:${name}`, meanLoss];

/** Reads what is watched of a prediction that lies at `said[at]`. */
function watcher<Y, P>(
  { kind }: LabelForm,
  width: number,
  of: LearnDrift<Y, P>['of'],
): (said: readonly number[], at: number, label: Y, truth: number) => number {
  if (of)
    return (said, at, label) =>
      Number(
        of((kind === 'class' ? Float64Array.from(said.slice(at, at + width)) : said[at]) as never, label as never),
      );
  if (kind === 'binary') return (said, at, _label, truth) => Number((said[at] as number) > 0.5 !== (truth === 1));
  if (kind === 'number') return (said, at, _label, truth) => Math.abs((said[at] as number) - truth);
  return (said, at, _label, truth) => Number(greatest(said, at, width) !== truth);
}

const rowOf = (
  change: ModelChange,
  detector: string,
  act: DriftAction,
  { step }: StepContext,
  { topic, partition, offset, eventTimeMs }: Origin,
): ModelDriftRow => ({ ...change, detector, act, step, topic, partition, offset, eventTime: eventTimeMs });

function problemsOf<Y, P>(
  { kind, output }: Pick<Learner<Y, P>, 'kind' | 'output'>,
  { detector, act, of }: LearnDrift<Y, P>,
  baselines: readonly string[],
  compareLabels: number,
): Problem[] {
  const problems: Problem[] = [...detector.problems];
  if (!driftActions.includes(act))
    problems.push({ message: `drift.act is '${act}'`, hint: `choose from ${driftActions.join(', ')}` });
  if (output === 'number' && detector.values === 'shares' && of === undefined)
    problems.push({
      message: `${detector.kind} takes numbers from 0 to 1, and ${kind} may be off by more`,
      hint: 'give a detector of numbers, such as adwin, or `of`',
    });
  for (const name of BESIDE_NAMES)
    if (baselines.includes(name))
      problems.push({ message: `a baseline '${name}'`, hint: 'the measures of drift have that name: use another' });
  if (!(Number.isInteger(compareLabels) && compareLabels >= 1))
    problems.push({
      message: `drift.compareLabels is ${compareLabels}`,
      hint: 'give it a whole number of labels, such as 1_000',
    });
  return problems;
}
