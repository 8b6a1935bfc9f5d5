import { stateful } from '../../core/define.js';
import { type Duration, formatDuration, givenDuration, hours } from '../../core/duration.js';
import { credibleJump, eventClock, observe } from '../../core/event-clock.js';
import type { FeatureVector, Learner } from '../../core/learner.js';
import type { Adds, Counter, Free, MultiInputOperator, Problem, StepContext } from '../../core/operator.js';
import type { Cell, CellSpecs } from '../../core/state.js';
import type { FeatureView } from '../../ml/features/index.js';
import {
  type Baseline,
  type BaselineCell,
  baselineCells,
  groupings,
  openBaselines,
  scoreboard,
  scoreboardSize,
  type WindowScores,
} from '../../ml/index.js';
import {
  type Float64Cell,
  float64Cell,
  type MapCell,
  mapCell,
  packedMapCell,
  type ValueCell,
  valueCell,
} from '../../state/index.js';
import { fieldAdder, objectOf } from '../../util/literals.js';
import { type WaitingRow, waitingRows } from '../quality/imputers/waiting-rows.js';

type Key = string | number;

/** What `learn` adds to a record. */
export interface Learned<B extends string = string> {
  /** Probability that the label will be true, by the model as it was when the record came. */
  readonly probability: number;
  /** `step.task.labels`: the model by the number of labels that it had learned from, rounded down to `versionEveryLabels`. */
  readonly modelVersion: string;
  /** What each baseline said of the same record, knowing no more than the model did. */
  readonly baselines: { readonly [P in B]: number };
}

/** Where `learn` finds the label of a record, how long it waits for it, and how predictions are measured. */
export interface LearnOptions<Row, Label, As extends string, B extends string> {
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
    /** The value of the label. */
    readonly value: (label: Label) => boolean;
    /** How long a record waits for its label, in event time. */
    readonly wait: Duration;
  };
  /** Maximum number of waiting records; the oldest is dropped first. */
  readonly pendingMax: number;
  /** Simple predictors that are scored together with the model. */
  readonly baselines?: { readonly [P in B]: Baseline<NoInfer<Row>> };
  /** Event time between two rows of metrics (default: one hour). */
  readonly metricsInterval?: Duration;
  /** Labels between two model versions (default: 1,000). */
  readonly versionEveryLabels?: number;
}

/** Version of how a waiting row lies in the state, beside the view's layout. */
const ROWS_VERSION = 1;

/**
 * Online learning with honest delay (progressive validation): predicts each record at once, keeps what the model saw
 * until the label arrives, scores *that* prediction, and only then learns from it.
 *
 *   in      --a------b------c--|
 *   labels  -----(a)-----------|
 *   out     --A------B------C--|     A was predicted by the empty model, B and C by one that has learnt a
 *
 * Guarantees: a prediction depends on no record or label after it; all state is in the checkpoint, so a replay predicts,
 * learns and measures the same to the last bit. A label without a waiting record changes nothing.
 * Counters: `predicted`, `learned`, `unmatched` (a label for no waiting record), `duplicate_labels` (one for a record
 * that had its label already), `expired` (records whose label never came), `pending_evicted` (beyond `pendingMax`),
 * `rejected_updates` (the learner refused the row, see there).
 * Measures at the end of each window of event time, once the stream's time has passed it: `labelled`, `positives`, `log_loss`, `roc_auc` (512 score
 * bins; left out where all labels were alike), `accuracy`, and `log_loss:<baseline>`, `roc_auc:<baseline>`.
 * Memory: the learner's state, `pendingMax` vectors and as many keys, the baselines' groups, 8 KiB of scores a scorer.
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
export function learn<Row, Label, const As extends string, const B extends string = never>(
  learner: Learner<boolean, number>,
  options: LearnOptions<Row, Label, As, B>,
): MultiInputOperator<
  Row & { readonly features: FeatureVector } & Free<As>,
  { labels: Label },
  Adds<{ readonly [K in As]: Learned<B> }>
> {
  const { as, view, label, pendingMax, metricsInterval = hours(1), versionEveryLabels = 1_000 } = options;
  const baselines = Object.entries<Baseline<Row>>(options.baselines ?? {});
  const problems = problemsOf(label.wait, pendingMax, versionEveryLabels);
  const kept = problems.length === 0 ? { ttl: label.wait, entriesMax: pendingMax } : { ttl: hours(1) };
  const model = learner.cells(view.shape);
  const cells: CellSpecs = {
    ...prefixed('model-', model),
    ...baselineCells(baselines),
    clock: valueCell({ initial: eventClock() }),
    // Rows wait as vectors of this view: another view's must not meet the model.
    pending: packedMapCell<Key, WaitingRow>({
      ...kept,
      version: (view.shape.layout ?? 1) + ROWS_VERSION,
      packing: waitingRows(view, 1 + baselines.length, groupings(baselines)),
    }),
    labelled: mapCell<Key, true>(kept),
    learned: valueCell({ initial: 0 }),
    scores: float64Cell({ size: scoreboardSize(1 + baselines.length) }),
  };
  return stateful<Row, { labels: Label }, Adds<{ readonly [K in As]: Learned<B> }>, CellSpecs>({
    kind: 'learn',
    settings: {
      as,
      learner: learner.kind,
      ...learner.settings,
      view: view.name,
      viewHash: view.hash,
      wait: formatDuration(label.wait),
      pendingMax,
      baselines: baselines.map(([name, { kind }]) => `${name}: ${kind}`).join(', '),
      metricsInterval: formatDuration(metricsInterval),
      versionEveryLabels,
    },
    problems,
    inputs: ['labels'],
    cells,
    open: (opened, context) => {
      const logic = learner.open(withoutPrefix('model-', model, opened), view.shape);
      const names = baselines.map(([name]) => name);
      const named = objectOf(names) as (probabilities: readonly number[], from: number) => Learned['baselines'];
      const withLearned = fieldAdder(as);
      const beside = openBaselines(baselines, opened as Readonly<Record<string, BaselineCell>>);
      const clock = opened.clock as ValueCell<ReturnType<typeof eventClock>>;
      const pending = opened.pending as MapCell<Key, WaitingRow>;
      const labelled = opened.labelled as MapCell<Key, true>;
      const learned = opened.learned as ValueCell<number>;
      const scores = scoreboard(opened.scores as Float64Cell, 1 + names.length, metricsInterval);
      // Of the row in hand: the model's, then each baseline's.
      const probabilities = Array.from({ length: 1 + names.length }, () => 0.5);
      const count = countersOf(context);
      const jumpMs = credibleJump(label.wait);
      const versionOf = versions(context, versionEveryLabels);
      let expiredSeen = pending.expired;

      const onRow = (row: Row, timeMs: number): Learned => {
        const { features } = row as Row & { readonly features: FeatureVector };
        if (features.hash !== view.hash) {
          context.fail(
            `the features are of view ${features.view} ${features.hash}, the model is for ${view.name} ${view.hash}`,
            'featurize with the view that learn is given',
          );
        }
        const probability = logic.predictOne(features);
        const groups = beside.groupsOf(row);
        probabilities[0] = probability;
        beside.predict(groups, probabilities);
        const evictedBefore = pending.evicted;
        pending.set(options.key(row), { features, probabilities, groups }, timeMs);
        if (pending.evicted > evictedBefore) count.pendingEvicted.add(pending.evicted - evictedBefore);
        count.predicted.add();
        return { probability, modelVersion: versionOf(learned.get()), baselines: named(probabilities, 1) };
      };

      const onLabel = (arrived: Label, timeMs: number): void => {
        const id = label.key(arrived);
        const row = pending.get(id);
        if (row === undefined) {
          (labelled.has(id) ? count.duplicateLabels : count.unmatched).add();
          return;
        }
        pending.delete(id);
        labelled.set(id, true, timeMs);
        const truth = label.value(arrived);
        scores.add(row.probabilities, truth);
        beside.learn(row.groups, truth);
        if (!logic.learnOne(row.features, truth)) {
          count.rejectedUpdates.add();
          return;
        }
        count.learned.add();
        learned.set(learned.get() + 1);
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
          else onLabel(value as Label, timeMs);
          if (pending.expired > expiredSeen) count.expired.add(pending.expired - expiredSeen);
          expiredSeen = pending.expired;
        },
      };
    },
  });
}

function problemsOf(wait: number, pendingMax: number, versionEveryLabels: number): Problem[] {
  const problems: Problem[] = [];
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

const prefixed = (prefix: string, specs: CellSpecs): CellSpecs =>
  Object.fromEntries(Object.entries(specs).map(([name, spec]) => [prefix + name, spec]));

const withoutPrefix = (prefix: string, specs: CellSpecs, opened: Readonly<Record<string, Cell>>) =>
  Object.fromEntries(Object.keys(specs).map((name) => [name, opened[prefix + name] as Cell]));

function countersOf(
  context: StepContext,
): Record<
  'predicted' | 'learned' | 'unmatched' | 'duplicateLabels' | 'expired' | 'pendingEvicted' | 'rejectedUpdates',
  Counter
> {
  return {
    predicted: context.counter('predicted'),
    learned: context.counter('learned'),
    unmatched: context.counter('unmatched'),
    duplicateLabels: context.counter('duplicate_labels'),
    expired: context.counter('expired'),
    pendingEvicted: context.counter('pending_evicted'),
    rejectedUpdates: context.counter('rejected_updates'),
  };
}

/** Names of model versions; the text is made once a version, not once a record. */
function versions({ step, task }: StepContext, every: number): (labels: number) => string {
  let cut = -1;
  let name = '';
  return (labels) => {
    const reached = labels - (labels % every);
    if (reached !== cut) {
      cut = reached;
      name = `${step}.${task}.${reached}`;
    }
    return name;
  };
}

function measure(
  context: StepContext,
  { endMs, labelled, positives, scorers }: WindowScores,
  baselines: readonly string[],
): void {
  context.measure('labelled', labelled, endMs);
  context.measure('positives', positives, endMs);
  scorers.forEach(({ logLoss, rocAuc, accuracy }, s) => {
    const of = s === 0 ? '' : `:${baselines[s - 1]}`;
    context.measure(`log_loss${of}`, logLoss, endMs);
    if (!Number.isNaN(rocAuc)) context.measure(`roc_auc${of}`, rocAuc, endMs);
    if (s === 0) context.measure('accuracy', accuracy, endMs);
  });
}
