import { type Aggregate, mean, quantiles, sum } from '../../aggregates/index.js';
import { type Duration, formatDuration, givenDuration } from '../../core/duration.js';
import { type EventClock, observe } from '../../core/event-clock.js';
import type { ClassLabel } from '../../core/learner.js';
import type { Emit, Problem, Settings, StatefulLogic, StepContext } from '../../core/operator.js';
import { noRecord, type Origin } from '../../core/record.js';
import type { Cell, CellSpecs } from '../../core/state.js';
import { type Judged, type Judgement, labelCells, labelStore } from '../../ml/evaluation/label-store.js';
import { type SlicePlan, sliceAccumulator, sliceCells, sliceWindows } from '../../ml/evaluation/slice-windows.js';
import type { LabelKind } from '../../ml/index.js';
import { accuracy, fBeta, logLoss, mae, metricsOf, rmse, rocAuc } from '../../ml/metrics/index.js';
import { type ValueCell, valueCell } from '../../state/index.js';
import type { WaitingRow } from '../quality/imputers/waiting-rows.js';

type Key = string | number;

/** How labels are treated that are late, missing or wrong: see the options of `learn`. */
export interface LabelPolicies<Y> {
  readonly late?: { readonly within: Duration; readonly act: 'score' | 'learn' | 'dead-letter' } | undefined;
  readonly missing?: { readonly label: NoInfer<Y>; readonly weighting?: 'fake-negative' } | undefined;
  readonly corrections?: { readonly within: Duration; readonly learn: boolean } | undefined;
}

/** Who learns what labels change. */
export interface PolicedLearner<Y> {
  /** The version of the model. */
  version(): string;
  /** The probability of true that the model gives a row by now. */
  says(row: WaitingRow): number;
  /** Learns a label of a row, also into the baselines. */
  learn(row: WaitingRow, label: Y, weight: number, origin: Origin, emit: Emit): void;
}

/** Predictions of a step and what they are compared with, by kind of label. */
export interface PolicedForm {
  readonly kind: LabelKind;
  readonly classes: readonly ClassLabel[];
  /** Numbers that the model says. */
  readonly width: number;
  readonly baselines: readonly string[];
}

/** Rows that wait for labels as the policies say. */
export interface PolicedLabels {
  /** Keeps what was said of a record. */
  predict(id: Key, row: WaitingRow, timeMs: number, nowMs: number): void;
  /** Takes a label that can be used. */
  label(id: Key, label: unknown, weight: number, timeMs: number, nowMs: number, origin: Origin, emit: Emit): void;
  /** Counts what is only noted yet, before changes of the cells are taken. */
  settle(): void;
  /** Tells the rows that are due before a record of this time. */
  tell(nowMs: number): void;
  /** Ends what the watermark has passed. */
  end(watermarkMs: number, clockMs: number, emit: Emit): void;
}

/** Whether any policy is given. */
export const hasPolicies = ({ late, missing, corrections }: LabelPolicies<unknown>): boolean =>
  late !== undefined || missing !== undefined || corrections !== undefined;

export interface PolicedOptions<Y> extends LabelPolicies<Y> {
  readonly wait: Duration;
  readonly pendingMax: number;
  readonly every: number;
  /** The version of waiting rows. */
  readonly version: number;
}

/** The cells of such rows, and how they are opened. */
export interface PolicedLabelsSpec<Y> {
  readonly cells: CellSpecs;
  open(cells: Readonly<Record<string, Cell>>, context: StepContext, learner: PolicedLearner<Y>): PolicedLabels;
}

/** A label that is assumed against all that the model knows still counts a little: a weight of 0 is refused. */
const WEIGHT_MIN = 1e-6;

/** Windows ahead of the watermark that may be open. */
const AHEAD_MAX = 100;

/**
 * The labels of `learn` with policies: the label store and the windows of `evaluate`. A window has the predictions that were made in it; its
 * measures come at the end of each interval in which labels changed it, and a later one of the same window replaces the earlier.
 *
 * A wait ends where the watermark passes it. What is assumed then is learnt as if a record of its own had brought it.
 *
 * With fake-negative weighting what is assumed weighs (1 - p)(1 + p), and a label that comes later and contradicts it 1 + p, where p is what the
 * model gives the other label at that time. So the model learns the true rate if every positive comes late. A
 * positive within `wait` was never assumed to be negative, which the weights reckon with: the more of them, the more the model predicts.
 * Source: Ktena et al., "Addressing delayed feedback for continuous training with neural networks in CTR prediction", RecSys 2019.
 *
 * Memory: `pendingMax` rows; 8 KiB a scorer and window, in the windows of the last `wait` and the longest `within`.
 */
export function policedLabels<Y>(form: PolicedForm, options: PolicedOptions<Y>): PolicedLabelsSpec<Y> {
  const { wait, late, missing, corrections, pendingMax, every, version } = options;
  const keptMs = Math.max(late?.within ?? 0, corrections?.within ?? 0);
  const measures = measuresOf(form);
  const accumulator = sliceAccumulator<Judged>(measures);
  const plan: SlicePlan = {
    everyMs: every,
    keptMs: wait + keptMs,
    slices: [],
    slicesMax: 1,
    versionsMax: 1,
    hasSums: true,
    windowsMax: Math.ceil((wait + keptMs) / every) + 2 + AHEAD_MAX,
  };
  const policy = { waitMs: wait, correctableMs: keptMs === 0 ? undefined : keptMs, missing, pendingMax };
  return {
    cells: {
      ...labelCells(policy, version),
      ...sliceCells(plan, accumulator.layout),
      assumed: valueCell({ initial: 0 }),
    },

    open(cells: Readonly<Record<string, Cell>>, context: StepContext, learner: PolicedLearner<Y>): PolicedLabels {
      const store = labelStore(cells as never, policy);
      const windows = sliceWindows(cells as never, accumulator, plan, context.step);
      const assumedSoFar = cells.assumed as ValueCell<number>;
      const count = {
        late: context.counter('late_labels'),
        assumed: context.counter('assumed'),
        corrected: context.counter('corrected'),
        duplicates: context.counter('duplicate_labels'),
        unmatched: context.counter('unmatched'),
        expired: context.counter('expired'),
        full: context.counter('pending_full'),
        waiting: context.counter('waiting_already'),
      };
      const tell: Parameters<typeof windows.tell>[1] = (
        { endMs, predicted, labelled, assumed, corrected },
        results,
        sums,
      ) => {
        const of = { version: learner.version(), weight: labelled };
        context.measure('coverage', labelled / predicted, endMs, { ...of, weight: predicted });
        const { positives, ...others } = results;
        for (const [name, value] of Object.entries({ labelled, assumed, corrected, positives }))
          if (typeof value === 'number') context.measure(name, value, endMs, { ...of, weight: 'sum' });
        for (const [name, value] of Object.entries(others)) {
          const interval = measures[name]?.additive?.interval?.(sums[name] ?? []);
          if (typeof value === 'number') context.measure(name, value, endMs, { ...of, interval });
          else if (Array.isArray(value))
            (value as readonly unknown[]).forEach((each, i) => {
              if (typeof each === 'number')
                context.measure(`label_delay_${i === 0 ? 'p50' : 'p95'}_ms`, each, endMs, of);
            });
        }
      };
      const judge = (judgement: Judgement, nowMs: number, origin?: Origin): void =>
        windows.judge(judgement.group, nowMs, judgement, origin);
      const rowOf = ({ after }: Judgement) => after.prediction as WaitingRow;
      const isWeighted = missing?.weighting === 'fake-negative';
      /** How likely the label is not the one that is assumed, by the model as it is. */
      const doubtOf = (row: WaitingRow): number => {
        const p = learner.says(row);
        return (missing?.label as unknown) === true ? 1 - p : p;
      };
      /** How a label is taken, or why not. */
      const usedAs = (id: Key, timeMs: number): 'first' | 'late' | 'correction' | 'duplicates' | 'unmatched' => {
        const there = store.find(id);
        if (there === undefined) return 'unmatched';
        const overdueMs = timeMs - (there.timeMs + wait);
        if (there.isLabelled) return corrections && overdueMs <= corrections.within ? 'correction' : 'duplicates';
        if (overdueMs <= 0) return 'first';
        return late && overdueMs <= late.within ? 'late' : 'unmatched';
      };

      return {
        predict(id, row, timeMs, nowMs) {
          if (store.has(id)) return count.waiting.add();
          // Its window may have ended.
          if (timeMs + wait < context.watermarkMs) return count.expired.add();
          const group = store.isFull() ? undefined : windows.predict(timeMs, '', [], nowMs);
          if (group === undefined) return count.full.add();
          store.predict(id, timeMs, { ...row, said: [...row.said], groups: [...row.groups] }, null, group);
        },

        label(id, label, weight, timeMs, nowMs, origin, emit) {
          const used = usedAs(id, timeMs);
          if (used === 'duplicates' || used === 'unmatched') return count[used].add();
          if (used === 'late') {
            count.late.add();
            if (late?.act === 'dead-letter')
              return context.deadLetter('late-label', `it came after ${formatDuration(wait)}`);
          }
          const judgement = store.label(id, timeMs, label);
          if (typeof judgement === 'string') return count.duplicates.add();
          judge(judgement, nowMs, origin);
          if (used === 'correction') count.corrected.add();
          const isKnown = judgement.wasAssumed && Object.is(judgement.before?.label, label);
          const isLearnt = used === 'first' || (used === 'late' ? late?.act === 'learn' : corrections?.learn === true);
          if (!isLearnt || isKnown) return;
          const row = rowOf(judgement);
          // What was assumed was learnt, too: this label makes up for it.
          const share = isWeighted && judgement.wasAssumed ? 1 + doubtOf(row) : 1;
          learner.learn(row, label as Y, weight * share, origin, emit);
        },

        settle: windows.settle,

        tell: (nowMs) => windows.tell(nowMs, tell),

        end(watermarkMs, clockMs, emit) {
          for (;;) {
            const nextMs = Math.min(store.nextMs(), windows.nextMs());
            if (nextMs > watermarkMs) return;
            store.end(
              nextMs,
              (judgement) => {
                judge(judgement, Math.max(nextMs, clockMs));
                count.assumed.add();
                const number = assumedSoFar.get();
                assumedSoFar.set(number + 1);
                const origin: Origin = { ...ASSUMED, partition: context.task, offset: number, eventTimeMs: nextMs };
                const row = rowOf(judgement);
                const doubt = isWeighted ? doubtOf(row) : 0;
                learner.learn(row, missing?.label as Y, Math.max(WEIGHT_MIN, 1 - doubt ** 2), origin, emit);
              },
              () => count.expired.add(),
            );
            windows.end(nextMs, tell);
          }
        },
      };
    },
  };
}

/** What a step does with a record and a label. */
interface PolicedStep<Row, Label> {
  predict(row: Row, timeMs: number, nowMs: number): unknown;
  label(label: Label, timeMs: number, nowMs: number, origin: Origin, emit: Emit): void;
}

/** The logic of a step whose labels have policies: rows are told before the first record of a later time, and waits end with the watermark. */
export function policedLogic<Row, Label>(
  labels: PolicedLabels,
  clock: ValueCell<EventClock>,
  jumpMs: number,
  { predict, label }: PolicedStep<Row, Label>,
  context: Pick<StepContext, 'watermarkMs'>,
): StatefulLogic {
  return {
    onRecord(input, value, emit, origin) {
      const timeMs = origin.eventTimeMs;
      const time = clock.get();
      observe(time, timeMs, jumpMs);
      clock.set(time);
      labels.tell(time.nowMs);
      const nowMs = Math.max(timeMs, time.nowMs, context.watermarkMs);
      if (input === 0) emit(predict(value as Row, timeMs, nowMs));
      else label(value as Label, timeMs, nowMs, origin, emit);
    },
    onWatermark: (watermarkMs, emit) => labels.end(watermarkMs, clock.get().nowMs, emit),
    onCheckpoint: labels.settle,
  };
}

/** What is assumed is of no record: its updates have an origin of their own. */
const ASSUMED = noRecord('$assumed');

type Measures = Record<string, Aggregate<Judged, unknown>>;

/** The measures of `learn` as aggregates, of the model and, as `<measure>:<baseline>`, of each baseline. */
function measuresOf({ kind, classes, width, baselines }: PolicedForm): Measures {
  const saidAt = (place: number) => (row: Judged) => ({
    prediction: (row.prediction as WaitingRow).said[place],
    label: row.label as never,
  });
  const of = <R>(view: (row: Judged) => R, metric: Aggregate<R, unknown>): Aggregate<Judged, unknown> =>
    (metricsOf(view as never, { metric: metric as never }) as { metric: Aggregate<Judged, unknown> }).metric;
  const labels: Measures = {
    label_delay: quantiles<Judged>(({ delayMs }) => delayMs, [0.5, 0.95]),
    ...(kind === 'binary' && { positives: sum<Judged>(({ label }) => Number(label)) }),
    ...(kind === 'number' && { label_mean: mean<Judged>(({ label }) => label as number) }),
  };
  const scorers = ['', ...baselines].map((name, s): Measures => {
    const suffix = name === '' ? '' : `:${name}`;
    const said = saidAt(s === 0 ? 0 : width + s - 1);
    if (kind === 'binary')
      return {
        [`log_loss${suffix}`]: of(said, logLoss() as never),
        [`roc_auc${suffix}`]: of(said, rocAuc() as never),
        ...(s === 0 && { accuracy: of(said, accuracy() as never) }),
      };
    if (kind === 'number')
      return { [`mae${suffix}`]: of(said, mae() as never), [`rmse${suffix}`]: of(said, rmse() as never) };
    const decided = (row: Judged) => ({
      prediction:
        s === 0
          ? (row.prediction as WaitingRow).said.slice(0, width)
          : classes[(row.prediction as WaitingRow).said[width + s - 1] as number],
      label: row.label,
    });
    return {
      [`accuracy${suffix}`]: of(decided, accuracy({ classes }) as never),
      [`macro_f1${suffix}`]: of(decided, fBeta({ classes }) as never),
      ...(s === 0 && { log_loss: of(decided, logLoss({ classes }) as never) }),
    };
  });
  return Object.assign(labels, ...scorers);
}

/** What is wrong with policies. */
export function policyProblems({ late, missing, corrections }: LabelPolicies<unknown>, kind: LabelKind): Problem[] {
  const weighting: Problem[] = [];
  if (missing?.weighting !== undefined && kind !== 'binary')
    weighting.push({
      message: `label.missing.weighting is ${missing.weighting}, and labels are no probabilities`,
      hint: 'it is for labels that are true or false: leave it out',
    });
  if (missing?.weighting !== undefined && late?.act !== 'learn')
    weighting.push({
      message: `label.missing.weighting is ${missing.weighting}, and late labels are not learnt`,
      hint: "give label.late too: { within: hours(24), act: 'learn' }",
    });
  const short = Object.entries({ late, corrections }).flatMap(([name, policy]) =>
    policy === undefined || policy.within > 0
      ? []
      : [
          {
            message: `label.${name}.within is ${givenDuration(policy.within)}`,
            hint: 'give it a positive duration, such as days(7)',
          },
        ],
  );
  return [...short, ...weighting];
}

/** Policies in `describe`; none where none is given. */
export const policySettings = <Y>({ late, missing, corrections }: LabelPolicies<Y>): Settings => ({
  ...(late && { late: `${late.act} within ${formatDuration(late.within)}` }),
  ...(missing && { missing: `${missing.label}${missing.weighting ? `, ${missing.weighting} weighting` : ''}` }),
  ...(corrections && {
    corrections: `${corrections.learn ? 'learn' : 'score'} within ${formatDuration(corrections.within)}`,
  }),
});
