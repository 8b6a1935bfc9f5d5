import { stateful } from '../../core/define.js';
import { type Duration, formatDuration, givenDuration, hours } from '../../core/duration.js';
import { credibleJump, eventClock, observe } from '../../core/event-clock.js';
import type { FeatureVector, Learner, LearnResult } from '../../core/learner.js';
import type { Adds, Emit, Free, MultiInputOperator, Problem, Settings, StepContext } from '../../core/operator.js';
import type { Origin } from '../../core/record.js';
import type { Cell, CellSpecs } from '../../core/state.js';
import { type BaselineCell, baselineCells, groupings, openBaselines } from '../../ml/evaluation/baseline-cells.js';
import type { Measure } from '../../ml/evaluation/judges.js';
import { scoreboard, scoreboardSize, type WindowScores } from '../../ml/evaluation/scoreboard.js';
import type { FeatureView } from '../../ml/features/index.js';
import { layoutVersion } from '../../ml/features/plan.js';
import type { Baseline } from '../../ml/index.js';
import type { ModelPlace } from '../../ml/model.js';
import {
  type Float64Cell,
  float64Cell,
  type MapCell,
  packedMapCell,
  setCell,
  type ValueCell,
  valueCell,
} from '../../state/index.js';
import { fieldAdder } from '../../util/literals.js';
import { optionProblems } from '../options.js';
import { type WaitingRow, waitingRows } from '../quality/imputers/waiting-rows.js';
import { type LabelForm, type LabelKindOf, labelForm } from './learned.js';
import { hostCells, hostModel, hostPlace, type ModelHosting } from './model-host.js';
import {
  hasPolicies,
  type LabelPolicies,
  policedLabels,
  policedLogic,
  policyProblems,
  policySettings,
} from './policed-labels.js';

type Key = string | number;

/** What operators take that learn from labels: where the label of a record is, how long it is awaited, and what is measured. */
export interface LabelOptions<Row, Label, As extends string, B extends string, Y = boolean, P = number> {
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
    /**
     * What becomes of a label that comes after `wait`, up to `within` later: it is scored, scored and learnt, or sent to the dead letters.
     * Without it such a label changes nothing.
     */
    readonly late?: LabelPolicies<NoInfer<Y>>['late'];
    /**
     * What is assumed, scored and learnt of a record without a label after `wait`. A label that comes later corrects it, if `late` takes it.
     * With `weighting: 'fake-negative'` both are weighted so that the model learns the true rate if every positive comes late; of positives
     * in time it predicts too many.
     */
    readonly missing?: LabelPolicies<NoInfer<Y>>['missing'];
    /** Another label for a record corrects its label up to `within` after `wait`; with `learn` the model learns it as a further update. */
    readonly corrections?: LabelPolicies<NoInfer<Y>>['corrections'];
  };
  /** Maximum number of waiting records; the oldest is dropped first. */
  readonly pendingMax: number;
  /** Simple predictors that are scored together with the model. */
  readonly baselines?: { readonly [N in B]: Baseline<NoInfer<Row>, LabelKindOf<NoInfer<Y>, NoInfer<P>>> };
  /** Event time between two rows of metrics (default: one hour). */
  readonly metricsInterval?: Duration;
  /** Labels between two model versions (default: 1,000). */
  readonly versionEveryLabels?: number;
  /** The longest that a restore may apply updates again that the model's last snapshot lacks (default: 4 s). */
  readonly replayMax?: Duration;
}

/** What learns in such an operator. */
export interface LabelModel<Y> {
  /** Writes its prediction to the beginning of `said`, and behind the baselines' what else is to wait with the row. */
  predict(features: FeatureVector, said: number[], key: Key): void;
  /** What a record gets. */
  shown(said: readonly number[], modelVersion: string): unknown;
  /** Learns from a row that has waited, and emits what follows beside. */
  learn(row: WaitingRow, label: Y, weight: number, origin: Origin, emit: Emit): LearnResult;
  /** Measures what else it has of a window of metrics that ends. */
  finish?(endMs: number): void;
}

/** An operator that predicts at once and learns when the label arrives. */
export interface LearnFromLabels<Row, Label, As extends string, B extends string, Y, P> {
  readonly kind: string;
  /** What the model predicts, and a name for it. */
  readonly learner: Pick<Learner<never, unknown>, 'kind' | 'output' | 'classes'>;
  readonly options: LabelOptions<Row, Label, As, B, Y, P>;
  /** What describes the model. */
  readonly settings: Settings;
  readonly problems: readonly Problem[];
  /** Numbers that wait with a row beside the predictions of model and baselines, and what they are. */
  readonly beside?: { readonly numbers: number; readonly of: string };
  /** The key of a row's model, where each key has one: it waits as the last of the row's groups. */
  readonly keyOf?: ((row: Row) => Key) | undefined;
  /** The cells of the model. */
  cells(place: ModelPlace): CellSpecs;
  open(
    form: LabelForm,
    opened: Readonly<Record<string, Cell>>,
    place: ModelPlace & { readonly name: string },
    context: StepContext,
  ): LabelModel<Y>;
}

/** Version of how a waiting row lies in the state, beside the view's layout and what was said of it. */
const ROWS_VERSION = 3;

/**
 * Defines such an operator: it keeps what the model saw and said until the label arrives, scores that, and only then learns from it.
 * All state is in the checkpoint, so a replay predicts, learns and measures the same to the last bit.
 */
export function learnFromLabels<Row, Label, const As extends string, const B extends string, Y, P, Added>(
  definition: LearnFromLabels<Row, Label, As, B, Y, P>,
): MultiInputOperator<
  Row & { readonly features: FeatureVector } & Free<As>,
  { labels: Label },
  Adds<{ readonly [K in As]: Added }>
> {
  const { kind, learner, options, settings, beside, keyOf } = definition;
  const { as, view, label, pendingMax, metricsInterval = hours(1), versionEveryLabels = 1_000, replayMax } = options;
  const baselines = Object.entries<Baseline<Row, never>>(options.baselines ?? {});
  const names = baselines.map(([name]) => name);
  const form = labelForm(learner, names);
  const problems = [
    ...optionProblems(kind, options),
    ...problemsOf(kind, learner, form, options),
    ...policyProblems(label, form?.kind ?? 'number'),
    ...definition.problems,
  ];
  // One that cannot run is declared all the same, for `check` to show.
  const { kind: labels, classes, judge } = form ?? (labelForm({ output: 'number' }, names) as LabelForm);
  const kept = problems.length === 0 ? { ttl: label.wait, entriesMax: pendingMax } : { ttl: hours(1), entriesMax: 1 };
  const place = hostPlace(replayMax);
  const saidWidth = judge.width + names.length + (beside?.numbers ?? 0);
  const hosting: ModelHosting = { view, updatesPerVersion: versionEveryLabels };
  const rowVersion = layoutVersion([
    ...[ROWS_VERSION, view.shape.layout ?? 1, labels, classes, names],
    ...(keyOf ? ['by'] : []),
    ...(beside ? [beside] : []),
  ]);
  const policed =
    hasPolicies(label) && problems.length === 0
      ? policedLabels<Y>(
          { kind: labels, classes: learner.classes ?? [], width: judge.width, baselines: names },
          { ...label, pendingMax, every: metricsInterval, version: rowVersion },
        )
      : undefined;
  const cells: CellSpecs = {
    ...hostCells(problems.length === 0 ? definition.cells(place) : {}),
    ...baselineCells(baselines, labels),
    clock: valueCell({ initial: eventClock() }),
    ...(policed?.cells ?? {
      // Rows wait as vectors of this view, with what was said of them: other ones must not meet the model.
      pending: packedMapCell<Key, WaitingRow>({
        ...kept,
        version: rowVersion,
        packing: waitingRows(view, saidWidth, groupings(baselines) + (keyOf ? 1 : 0)),
      }),
      labelled: setCell<Key>(kept),
      scores: float64Cell({
        size: scoreboardSize(judge, 1 + baselines.length),
        version: layoutVersion([labels, classes, names]),
      }),
    }),
  };
  return stateful<Row, { labels: Label }, Adds<{ readonly [K in As]: Added }>, CellSpecs>({
    kind,
    settings: {
      as,
      ...settings,
      view: view.name,
      viewHash: view.hash,
      wait: formatDuration(label.wait),
      ...policySettings(label),
      pendingMax,
      baselines: baselines.map(([name, { kind }]) => `${name}: ${kind}`).join(', '),
      metricsInterval: formatDuration(metricsInterval),
      versionEveryLabels,
    },
    problems,
    inputs: ['labels'],
    keys: [options.key, label.key],
    cells,
    open: (opened, context) => {
      const { truthOf } = form as LabelForm;
      const model = definition.open(form as LabelForm, opened, { ...place, name: context.step }, context);
      const host = hostModel(hosting, opened, context);
      const withLearned = fieldAdder(as);
      const known = openBaselines(baselines, opened as Readonly<Record<string, BaselineCell>>, classes);
      const clock = opened.clock as ValueCell<ReturnType<typeof eventClock>>;
      // Of the row in hand: the model's, each baseline's, what else waits with it.
      const said = Array.from({ length: saidWidth }, () => 0.5);
      /** Of a row that has waited: what the model says by now. */
      const now = [...said];
      const say = (row: Row): WaitingRow => {
        const { features } = row as Row & { readonly features: FeatureVector };
        const groups = known.groupsOf(row);
        const key = keyOf?.(row);
        host.predicts(features);
        model.predict(features, said, key as Key);
        known.predict(groups, said, judge.width);
        return { features, said, groups: keyOf ? [...groups, key as Key] : groups };
      };
      const learnFrom = (
        row: WaitingRow,
        value: Y,
        truth: number,
        weight: number,
        origin: Origin,
        emit: Emit,
      ): void => {
        const result = model.learn(row, value, weight, origin, emit);
        if (result === 'learnt') known.learn(row.groups, truth); // what they know is what the model was told
        host.learns(result);
      };
      const weightOf = (arrived: Label): number => (label.weight ? label.weight(arrived) : 1);
      const jumpMs = credibleJump(label.wait);
      if (policed) {
        const labels = policed.open(opened, context, {
          version: host.version,
          says({ features, groups }) {
            model.predict(features, now, groups.at(-1) as Key);
            return now[0] as number;
          },
          learn: (row, value, weight, origin, emit) =>
            learnFrom(row, value, truthOf(value) as number, weight, origin, emit),
        });
        return policedLogic(
          labels,
          clock,
          jumpMs,
          {
            predict(row: Row, timeMs, nowMs) {
              const waiting = say(row);
              labels.predict(options.key(row), waiting, timeMs, nowMs);
              return withLearned(row as never, model.shown(said, host.version()));
            },
            label(arrived: Label, timeMs, nowMs, origin, emit) {
              const value = label.value(arrived);
              const truth = truthOf(value);
              if (typeof truth === 'string') host.learns(truth);
              else labels.label(label.key(arrived), value, weightOf(arrived), timeMs, nowMs, origin, emit);
            },
          },
          context,
        ) as never;
      }
      const pending = opened.pending as MapCell<Key, WaitingRow>;
      const labelled = opened.labelled as MapCell<Key, true>;
      const scores = scoreboard(opened.scores as Float64Cell, judge, 1 + names.length, metricsInterval);
      const count = {
        unmatched: context.counter('unmatched'),
        duplicateLabels: context.counter('duplicate_labels'),
        expired: context.counter('expired'),
        pendingEvicted: context.counter('pending_evicted'),
      };
      let expiredSeen = pending.expired;

      const onRow = (row: Row, timeMs: number): unknown => {
        const waiting = say(row);
        const evictedBefore = pending.evicted;
        pending.set(options.key(row), waiting, timeMs);
        if (pending.evicted > evictedBefore) count.pendingEvicted.add(pending.evicted - evictedBefore);
        return model.shown(said, host.version());
      };

      const onLabel = (arrived: Label, timeMs: number, origin: Origin, emit: Emit): void => {
        const id = label.key(arrived);
        const row = pending.get(id);
        if (row === undefined) {
          (labelled.has(id) ? count.duplicateLabels : count.unmatched).add();
          return;
        }
        const value = label.value(arrived);
        const truth = truthOf(value);
        if (typeof truth === 'string') {
          host.learns(truth); // the record waits on: a label that can be used may follow
          return;
        }
        pending.delete(id);
        labelled.set(id, true, timeMs);
        scores.add(row.said, truth);
        learnFrom(row, value, truth, weightOf(arrived), origin, emit);
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
          if (finished) {
            measure(context, finished, names, host.version());
            model.finish?.(finished.endMs);
          }
          if (input === 0) emit(withLearned(value, onRow(value as Row, timeMs)));
          else onLabel(value as Label, timeMs, origin, emit as Emit);
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
  operator: string,
  learner: Pick<Learner<never, unknown>, 'kind' | 'output'>,
  form: LabelForm | undefined,
  { label: { wait }, pendingMax, versionEveryLabels = 1_000 }: Bounds,
): Problem[] {
  const problems: Problem[] = [];
  if (learner.kind === undefined)
    problems.push({
      message: 'the learner is missing, or is not called',
      hint: `give ${operator} one with its options`,
    });
  else if (form === undefined)
    problems.push({
      message: `${learner.kind} gives '${learner.output}' and learns without labels`,
      hint: `give ${operator} a learner with labels, such as logisticRegression`,
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

function measure(
  context: StepContext,
  { endMs, labelled, labels, scorers }: WindowScores,
  baselines: readonly string[],
  version: string,
): void {
  const tell = ([name, value, interval, weight = labelled]: Measure, of = ''): void =>
    context.measure(`${name}${of}`, value, endMs, { version, interval, weight });
  tell(['labelled', labelled, undefined, 'sum']);
  for (const each of labels) tell(each);
  scorers.forEach((measures, s) => {
    const of = s === 0 ? '' : `:${baselines[s - 1]}`;
    for (const each of measures) if (!Number.isNaN(each[1])) tell(each, of);
  });
}
