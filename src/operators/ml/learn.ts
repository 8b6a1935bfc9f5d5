import { stateful } from '../../core/define.js';
import { type Duration, formatDuration, givenDuration, hours } from '../../core/duration.js';
import { credibleJump, eventClock, observe } from '../../core/event-clock.js';
import type { FeatureVector, Learner } from '../../core/learner.js';
import type { Adds, Free, MultiInputOperator, Problem, StepContext } from '../../core/operator.js';
import type { Origin } from '../../core/record.js';
import type { CellSpecs } from '../../core/state.js';
import { type BaselineCell, baselineCells, groupings, openBaselines } from '../../ml/evaluation/baseline-cells.js';
import { scoreboard, scoreboardSize, type WindowScores } from '../../ml/evaluation/scoreboard.js';
import type { FeatureView } from '../../ml/features/index.js';
import { layoutVersion } from '../../ml/features/plan.js';
import type { Baseline } from '../../ml/index.js';
import { modelWidth } from '../../ml/model-by-key.js';
import {
  type Float64Cell,
  float64Cell,
  type MapCell,
  mapCell,
  packedMapCell,
  type ValueCell,
  valueCell,
} from '../../state/index.js';
import { fieldAdder } from '../../util/literals.js';
import { type WaitingRow, waitingRows } from '../quality/imputers/waiting-rows.js';
import { type LabelForm, type LabelKindOf, type LearnedBy, labelForm } from './learned.js';
import { hostCells, hostModel, type ModelHosting } from './model-host.js';

type Key = string | number;

/** Where `learn` finds the label of a record, how long it waits for it, and how predictions are measured. */
export interface LearnOptions<Row, Label, As extends string, B extends string, Y = boolean, P = number> {
  /** Name of the field that is added. */
  readonly as: As;
  /** The view that made `features`: the model's size follows from it. */
  readonly view: FeatureView;
  /** Identity of a record. */
  readonly key: (row: Row) => Key;
  /** How to read the values of the input `labels`. */
  readonly label: {
    /** Identity of the record of a label. */
    readonly key: (label: Label) => Key;
    /** The value of the label: true or false, a number or a class, as the learner takes it. */
    readonly value: (label: Label) => NoInfer<Y>;
    /** How often the label counts in learning (1 by default). Scores count each label once. */
    readonly weight?: (label: Label) => number;
    /** How long a record waits for its label, in event time. */
    readonly wait: Duration;
  };
  /** Maximum number of waiting records; the oldest is dropped first. */
  readonly pendingMax: number;
  /** Simple predictors that are scored together with the model. */
  readonly baselines?: { readonly [N in B]: Baseline<NoInfer<Row>, LabelKindOf<NoInfer<Y>, NoInfer<P>>> };
  /** A model for each key. Until a key has its first label, a pooled model answers for it, which learns from all records. */
  readonly by?: {
    /** The key of the model that a record belongs to. */
    readonly key: (row: Row) => Key;
    /** Maximum number of models; the one that learned least recently is dropped first. */
    readonly modelsMax: number;
  };
  /** Event time between two rows of metrics (default: one hour). */
  readonly metricsInterval?: Duration;
  /** Labels between two model versions (default: 1,000). */
  readonly versionEveryLabels?: number;
  /** The longest that a restore may apply updates again that the model's last snapshot lacks (default: 2 s). */
  readonly replayMax?: Duration;
}

/** Version of how a waiting row lies in the state, beside the view's layout and what was said of it. */
const ROWS_VERSION = 2;

/**
 * Online learning with honest delay (progressive validation): predicts each record at once, keeps what the model saw
 * until the label arrives, scores *that* prediction, and only then learns from it. Takes any learner with labels: true or
 * false, numbers, classes. What is added follows from it: `probability`, `value`, or `label` and `scores`.
 *
 *   in      --a------b------c--|
 *   labels  -----(a)-----------|
 *   out     --A------B------C--|     A was predicted by the empty model, B and C by one that has learnt a
 *
 * Guarantees: a prediction depends on no record or label after it; all state is in the checkpoint, so a replay predicts,
 * learns and measures the same to the last bit. A label without a waiting record changes nothing.
 * Counters: `predicted`, `learned`, `unmatched` (a label for no waiting record), `duplicate_labels` (one for a record
 * that had its label already), `expired` (records whose label never came), `pending_evicted` (beyond `pendingMax`),
 * `refused` (the learner refused the update), `refused:<reason>`, such as `refused:not-finite`, and `models_evicted` (beyond
 * `by.modelsMax`).
 * Measures at the end of each window of event time, once the stream's time has passed it, of the model and, as
 * `<measure>:<baseline>`, of each baseline. All: `labelled`. True or false: `positives`, `log_loss`, `roc_auc` (512 score bins;
 * left out where all labels were alike), `accuracy` of the model. Numbers: `label_mean`, `mae`, `rmse`. Classes: `accuracy`,
 * `macro_f1`, `log_loss` of the model.
 * By key, a model begins as the pooled one is at the first label of its key, and both learn that label.
 * Memory: the learner's state, and as many numbers for each model by key; `pendingMax` vectors and as many keys, the baselines'
 * groups, at most 8 KiB of scores a scorer.
 *
 * @example
 * scored.via('delay-model', { labels: arrived }, learn(logisticRegression({ optimizer: ftrl({ alpha: 0.1 }) }), {
 *   as: 'late',
 *   view: flightFeatures,
 *   key: (f) => f.flightId,
 *   label: { key: (a) => a.flightId, value: (a) => a.delayMinutes >= 15, wait: hours(24) },
 *   pendingMax: 100_000,
 *   baselines: { hourRate: rateBy({ by: (f) => hourOf(f) }) },
 * }));
 */
export function learn<Row, Label, const As extends string, const B extends string = never, Y = boolean, P = number>(
  learner: Learner<Y, P>,
  options: LearnOptions<Row, Label, As, B, Y, P>,
): MultiInputOperator<
  Row & { readonly features: FeatureVector } & Free<As>,
  { labels: Label },
  Adds<{ readonly [K in As]: LearnedBy<Y, P, B> }>
> {
  const {
    as,
    view,
    label,
    pendingMax,
    by,
    metricsInterval = hours(1),
    versionEveryLabels = 1_000,
    replayMax,
  } = options;
  const baselines = Object.entries<Baseline<Row, never>>(options.baselines ?? {});
  const names = baselines.map(([name]) => name);
  const form = labelForm(learner, names);
  const problems = [
    ...problemsOf(learner, form, options),
    ...(by ? problemsByKey(learner.kind, modelWidth(learner, view.shape), by.modelsMax) : []),
  ];
  // One that cannot run is declared all the same, for `check` to show.
  const { kind, classes, judge } = form ?? (labelForm({ output: 'number' }, names) as LabelForm);
  const modelsMax = problems.length === 0 ? by?.modelsMax : undefined;
  const hosting: ModelHosting = { view, versionEvery: versionEveryLabels, replayMax, modelsMax };
  const kept = problems.length === 0 ? { ttl: label.wait, entriesMax: pendingMax } : { ttl: hours(1) };
  const cells: CellSpecs = {
    ...hostCells(learner, hosting),
    ...baselineCells(baselines, kind),
    clock: valueCell({ initial: eventClock() }),
    // Rows wait as vectors of this view, with what was said of them: other ones must not meet the model.
    pending: packedMapCell<Key, WaitingRow>({
      ...kept,
      version: layoutVersion([ROWS_VERSION, view.shape.layout ?? 1, kind, classes, names, ...(by ? ['by'] : [])]),
      packing: waitingRows(view, judge.width + baselines.length, groupings(baselines) + (by ? 1 : 0)),
    }),
    labelled: mapCell<Key, true>(kept),
    scores: float64Cell({
      size: scoreboardSize(judge, 1 + baselines.length),
      version: layoutVersion([kind, classes, names]),
    }),
  };
  return stateful<Row, { labels: Label }, Adds<{ readonly [K in As]: LearnedBy<Y, P, B> }>, CellSpecs>({
    kind: 'learn',
    settings: {
      as,
      learner: learner.kind,
      ...learner.settings,
      view: view.name,
      viewHash: view.hash,
      wait: formatDuration(label.wait),
      pendingMax,
      ...(by && { modelsMax: by.modelsMax }),
      baselines: baselines.map(([name, { kind }]) => `${name}: ${kind}`).join(', '),
      metricsInterval: formatDuration(metricsInterval),
      versionEveryLabels,
    },
    problems,
    inputs: ['labels'],
    cells,
    open: (opened, context) => {
      const { truthOf, shown, write } = form as LabelForm;
      const model = hostModel(learner, hosting, opened, context);
      const withLearned = fieldAdder(as);
      const beside = openBaselines(baselines, opened as Readonly<Record<string, BaselineCell>>, classes);
      const clock = opened.clock as ValueCell<ReturnType<typeof eventClock>>;
      const pending = opened.pending as MapCell<Key, WaitingRow>;
      const labelled = opened.labelled as MapCell<Key, true>;
      const scores = scoreboard(opened.scores as Float64Cell, judge, 1 + names.length, metricsInterval);
      // Of the row in hand: the model's, then each baseline's.
      const said = Array.from({ length: judge.width + names.length }, () => 0.5);
      const count = {
        unmatched: context.counter('unmatched'),
        duplicateLabels: context.counter('duplicate_labels'),
        expired: context.counter('expired'),
        pendingEvicted: context.counter('pending_evicted'),
      };
      const jumpMs = credibleJump(label.wait);
      let expiredSeen = pending.expired;

      const onRow = (row: Row, timeMs: number): unknown => {
        const { features } = row as Row & { readonly features: FeatureVector };
        const groups = beside.groupsOf(row);
        const key = by?.key(row);
        write(model.predict(features, key), said);
        beside.predict(groups, said, judge.width);
        const evictedBefore = pending.evicted;
        pending.set(options.key(row), { features, said, groups: by ? [...groups, key as Key] : groups }, timeMs);
        if (pending.evicted > evictedBefore) count.pendingEvicted.add(pending.evicted - evictedBefore);
        return shown(said, model.version());
      };

      const onLabel = (arrived: Label, timeMs: number, origin: Origin): void => {
        const id = label.key(arrived);
        const row = pending.get(id);
        if (row === undefined) {
          (labelled.has(id) ? count.duplicateLabels : count.unmatched).add();
          return;
        }
        pending.delete(id);
        labelled.set(id, true, timeMs);
        const value = label.value(arrived);
        const truth = truthOf(value);
        if (typeof truth === 'string') {
          model.refuse(truth);
          return;
        }
        scores.add(row.said, truth);
        beside.learn(row.groups, truth);
        const key = by && row.groups.at(-1);
        model.learn(row.features, value, label.weight ? label.weight(arrived) : 1, origin, key);
      };

      return {
        onRecord(input, value, emit, origin) {
          const time = clock.get();
          const timeMs = observe(time, origin.eventTimeMs, jumpMs);
          clock.set(time);
          const { nowMs } = time;
          pending.expire(nowMs);
          labelled.expire(nowMs);
          const finished = scores.turn(nowMs);
          if (finished) measure(context, finished, names);
          if (input === 0) emit(withLearned(value, onRow(value as Row, timeMs)));
          else onLabel(value as Label, timeMs, origin);
          if (pending.expired > expiredSeen) count.expired.add(pending.expired - expiredSeen);
          expiredSeen = pending.expired;
        },
      };
    },
  });
}

/** The options that may be out of range. */
interface Bounds {
  readonly label: { readonly wait: number };
  readonly pendingMax: number;
  readonly versionEveryLabels?: number;
}

function problemsOf(
  learner: Pick<Learner<never, unknown>, 'kind' | 'output'>,
  form: LabelForm | undefined,
  { label: { wait }, pendingMax, versionEveryLabels = 1_000 }: Bounds,
): Problem[] {
  const problems: Problem[] = [];
  if (form === undefined)
    problems.push({
      message: `${learner.kind} gives '${learner.output}' and learns without labels`,
      hint: 'give learn a learner with labels, such as logisticRegression',
    });
  if (!(wait > 0))
    problems.push({
      message: `label.wait is ${givenDuration(wait)}`,
      hint: 'give it a positive duration, such as hours(24)',
    });
  if (!(pendingMax >= 1))
    problems.push({
      message: `pendingMax is ${pendingMax}`,
      hint: 'give it the number of records that come within the wait, and some more',
    });
  if (!(versionEveryLabels >= 1))
    problems.push({ message: `versionEveryLabels is ${versionEveryLabels}`, hint: 'give it a number of labels' });
  return problems;
}

/** Numbers of all models together: 4 GiB. */
const NUMBERS_MAX = 2 ** 29;

function problemsByKey(kind: string, width: number | undefined, modelsMax: number): Problem[] {
  if (width === undefined)
    return [
      {
        message: `${kind} grows, and a model for each key must not`,
        hint: 'give learn a learner of fixed size, such as logisticRegression, or leave out `by`',
      },
    ];
  if (!(Number.isInteger(modelsMax) && modelsMax >= 1))
    return [{ message: `by.modelsMax is ${modelsMax}`, hint: 'give it a whole number of models' }];
  if (width * modelsMax <= NUMBERS_MAX) return [];
  return [
    {
      message: `${modelsMax} models of ${width} numbers take ${Math.ceil((8 * width * modelsMax) / 2 ** 30)} GiB`,
      hint: 'give by.modelsMax a lower number, or learn a view with fewer features',
    },
  ];
}

function measure(
  context: StepContext,
  { endMs, labelled, labels, scorers }: WindowScores,
  baselines: readonly string[],
): void {
  context.measure('labelled', labelled, endMs);
  for (const [name, value] of labels) context.measure(name, value, endMs);
  scorers.forEach((measures, s) => {
    const of = s === 0 ? '' : `:${baselines[s - 1]}`;
    for (const [name, value] of measures) if (!Number.isNaN(value)) context.measure(`${name}${of}`, value, endMs);
  });
}
