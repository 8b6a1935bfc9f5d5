import { aggregateProblems, retractionProblems } from '../../aggregates/accumulator.js';
import type { Aggregate, ResultOf } from '../../aggregates/index.js';
import { quantiles } from '../../aggregates/index.js';
import { credibleJump, eventClock, furthest, observe } from '../../core/event-clock.js';
import {
  type Duration,
  type Emit,
  formatDuration,
  type MultiInputOperator,
  type Origin,
  type Problem,
  stateful,
} from '../../core/index.js';
import { type Judged, type Judgement, labelCells, labelStore } from '../../ml/evaluation/label-store.js';
import {
  NO_SUMS,
  type SliceCounts,
  type SlicePlan,
  type SliceValue,
  type Sums,
  sliceAccumulator,
  sliceCells,
  sliceWindows,
} from '../../ml/evaluation/slice-windows.js';
import { rescale, valueCell } from '../../state/index.js';
import { emptyKeyText, isEmptyKey, type Key } from '../keys.js';
import { optionProblems, requireOptions } from '../options.js';

/** Where predictions and labels are, how late, wrong and missing labels are treated, and what is measured. */
export interface EvaluateOptions<Row, Label, M> {
  /** How to read a prediction. */
  readonly prediction: {
    /** Identity of what is predicted. */
    readonly key: (row: Row) => Key | null | undefined;
    /** What was predicted, as the metrics take it: plain data. */
    readonly value: (row: Row) => TakenBy<M, 'prediction'>;
    /** How much it counts; 1 by default. */
    readonly weight?: (row: Row) => number;
    /** The version of the model that predicted it: versions are measured by themselves. Without it all are one. */
    readonly version?: (row: Row) => string;
  };
  /** How to read the values of the input `labels`. */
  readonly label: {
    /** Identity of what the label is of. */
    readonly key: (label: Label) => Key | null | undefined;
    /** The label, as the metrics take it; null and undefined are not known yet. */
    readonly value: (label: Label) => TakenBy<M, 'label'> | null | undefined;
  };
  /** How long a prediction waits for its label, in event time. */
  readonly wait: Duration;
  /** How much longer a label is taken that comes late or corrects another. Without it the first label is the last one. */
  readonly correctable?: Duration;
  /** What is assumed of a prediction without a label after `wait`, until one comes. Without it such a prediction is not judged. */
  readonly missing?: { readonly label: TakenBy<M, 'label'> };
  /** What is measured: metrics of `millrace/ml`, or aggregates of your own over `{ prediction, label, weight }`. */
  readonly metrics: M;
  /** Groups of rows that are measured by themselves. */
  readonly slices?: Readonly<Record<string, (row: Row) => string | number | boolean | null | undefined>>;
  /** Values of a slice in a window (default: 100); the others count as `other`. */
  readonly slicesMax?: number;
  /** Versions in a window (default: 10); the others count as `other`. */
  readonly versionsMax?: number;
  /** Whether a row has `sums`: those of tasks, slices and windows add up to the sums of the whole, of which `evaluationSql` reads the metrics. */
  readonly sums?: boolean;
  /** Metrics that also go to the metrics sinks of the topology, each time that a row comes; of all slices. */
  readonly measured?: readonly (keyof M & string)[];
  /** The size of a window of predictions, and how often rows come of what is new in it. */
  readonly every: Duration;
  /** Maximum number of predictions that are kept. */
  readonly pendingMax: number;
}

/** The metrics of a slice and window, as they are known at a time. */
export type EvaluationRow<M> = SliceCounts & {
  /** The task that has measured: another one measures the predictions of other partitions. */
  readonly task: number;
  /** The share of predictions with a label. */
  readonly coverage: number;
  /** How long labels took: the median, and what 95 % of them did not exceed; null without labels. */
  readonly delayP50Ms: number | null;
  readonly delayP95Ms: number | null;
  /** With the option `sums`: of each metric what it is computed from, to be added up place by place. */
  readonly sums: Sums;
} & { readonly [N in keyof M]: ResultOf<M[N]> };

/**
 * The columns of a ClickHouse table of evaluation rows; those of the metrics come beside them. `sums` is empty without that option.
 *
 * @example clickhouse.tableSink({ table: 'quality', columns: { ...evaluationColumns, loss: 'Nullable(Float64)' }, orderBy: ['slice', 'startMs'] });
 */
export const evaluationColumns = Object.freeze({
  task: 'UInt32',
  slice: 'LowCardinality(String)',
  value: 'String',
  version: 'LowCardinality(String)',
  startMs: 'Int64',
  endMs: 'Int64',
  atMs: 'Int64',
  predicted: 'UInt64',
  labelled: 'UInt64',
  assumed: 'UInt64',
  corrected: 'UInt64',
  coverage: 'Float64',
  delayP50Ms: 'Nullable(Float64)',
  delayP95Ms: 'Nullable(Float64)',
  sums: 'Map(LowCardinality(String), Array(Float64))',
}) satisfies Readonly<Record<keyof EvaluationRow<object>, string>>;

/** Metrics by name, over rows of any type. */
type Named = Readonly<Record<string, Aggregate<never, unknown>>>;

/** What all metrics can take as a field of their rows. */
type TakenBy<M, Field extends string> = {
  [N in keyof M]: M[N] extends Aggregate<infer In, unknown> ? (row: In) => void : never;
}[keyof M] extends (row: infer In) => void
  ? In extends { readonly [F in Field]: infer V }
    ? V
    : unknown
  : never;

/** Windows ahead of the watermark that may be open. */
const AHEAD_MAX = 100;

/**
 * Evaluates predictions of any step by labels that come later: joins both by key, and measures by window of the prediction and by
 * slice. A row tells what a task knows of a window at a time; its later row of the same window and slice replaces it.
 *
 *   in      --a--b--|-----|-----|     windows |
 *   labels  ----(a)-|-(b)-|-----|
 *   out     --------A-----B-----|     A knows the label of a, B those of a and b
 *
 * Guarantees: a prediction counts with the label, and never with one that comes after `wait` and `correctable`, whatever the order of
 * other records. Labels, corrections and ends change no row before them. A correction takes back what the wrong label had added: the metrics
 * are those of a run that had it right from the start (sums to rounding). All state is in the checkpoint, so a replay gives the same rows.
 * Rows come at multiples of `every`, of windows that changed since their last one, before the first record of a later time is counted.
 * Counters: `predicted`, `labelled`, `assumed`, `corrected`, `missing` (no label after `wait`), `repeated` (the same label again),
 * `unmatched` (a label for no prediction that waits), `unknown` (a label that is null), `duplicates` (a prediction whose key waits already).
 * Dead letters: `empty-key`, `late` (a prediction whose wait is over), `pending-full`, `too-many-windows` (predictions of windows far ahead).
 * Equal keys must be in one partition.
 * Memory: `pendingMax` predictions, some 350 bytes each and their value; the state of the metrics and a sketch of delays for each value of a
 * slice and each version, in the windows of the last `wait` + `correctable`.
 *
 * @example
 * scored.via('evaluation', { labels: arrived }, evaluate({
 *   prediction: { key: (f) => f.flightId, value: (f) => f.late.probability },
 *   label: { key: (a) => a.flightId, value: (a) => a.delayMinutes >= 15 },
 *   wait: hours(24),
 *   correctable: days(7),
 *   metrics: { loss: logLoss(), auc: rocAuc() },
 *   slices: { origin: (f) => f.origin },
 *   every: hours(1),
 *   pendingMax: 100_000,
 * })).to('quality', clickhouse.tableSink({ table: 'quality', columns: { ...evaluationColumns, loss: 'Nullable(Float64)', auc: 'Nullable(Float64)' } }));
 */
export function evaluate<Row, Label, const M extends Named>(
  options: EvaluateOptions<Row, Label, M>,
): MultiInputOperator<Row, { labels: Label }, EvaluationRow<M>> {
  requireOptions('evaluate', options);
  const { prediction, label, wait, correctable, missing, metrics, every, pendingMax } = options;
  const { slicesMax = 100, versionsMax = 10, sums = false, measured = [] } = options;
  const slices = Object.entries(options.slices ?? {});
  const lastMs = wait + (correctable ?? 0);
  const problems = [...optionProblems('evaluate', options), ...problemsOf(options, { slicesMax, versionsMax })];
  const isGood = problems.length === 0;
  const named: Readonly<Record<string, Aggregate<Judged, unknown>>> = metrics as never;
  const accumulator = sliceAccumulator<Judged>({
    ...named,
    [DELAYS]: quantiles<Judged>(({ delayMs }) => delayMs, [0.5, 0.95]),
  });
  const plan: SlicePlan = {
    everyMs: every,
    keptMs: lastMs,
    slices: slices.map(([name]) => name),
    slicesMax: isGood ? slicesMax : 1,
    versionsMax: isGood && prediction.version ? versionsMax : 1,
    hasSums: sums || measured.some((name) => metrics[name]?.additive?.interval),
    windowsMax: isGood ? Math.ceil(lastMs / every) + 2 + AHEAD_MAX : 1,
  };
  const policy = { waitMs: wait, correctableMs: correctable, missing, pendingMax: isGood ? pendingMax : 1 };
  const cells = {
    ...labelCells(policy),
    ...sliceCells(plan, accumulator.layout),
    clock: rescale.merged(valueCell({ initial: eventClock() }), furthest),
  };
  const jumpMs = credibleJump(Math.max(lastMs, every));
  return stateful<Row, { labels: Label }, EvaluationRow<M>, typeof cells>({
    kind: 'evaluate',
    settings: {
      wait: formatDuration(wait),
      ...(correctable !== undefined && { correctable: formatDuration(correctable) }),
      ...(missing && { missing: String(missing.label) }),
      ...Object.fromEntries(Object.entries(named).map(([name, { text }]) => [`metric ${name}`, text])),
      slices: plan.slices.join(', '),
      slicesMax,
      ...(prediction.version && { versionsMax }),
      ...(measured.length > 0 && { measured: measured.join(', ') }),
      every: formatDuration(every),
      pendingMax,
    },
    problems,
    inputs: ['labels'],
    keys: [prediction.key, label.key],
    cells,
    open(opened, context) {
      const store = labelStore(opened, policy);
      const windows = sliceWindows(opened, accumulator, plan, context.step);
      const counters = Object.fromEntries(COUNTERS.map((name) => [name, context.counter(name)]));
      const count = (name: (typeof COUNTERS)[number]): void => counters[name]?.add();

      const apply = (judgement: Judgement, nowMs: number, origin?: Origin): void => {
        const { group, before, isAssumed, wasAssumed } = judgement;
        windows.judge(group, nowMs, judgement, origin);
        count(isAssumed ? 'assumed' : before === null || wasAssumed ? 'labelled' : 'corrected');
      };

      /** Why a prediction is not kept. */
      const refusalOf = (key: Key, timeMs: number): readonly [reason: string, detail: string] | undefined => {
        if (timeMs + wait < context.watermarkMs)
          return ['late', `${context.watermarkMs - timeMs} ms behind the watermark`];
        return store.isFull() ? ['pending-full', `${pendingMax} predictions are kept, and none of ${key}`] : undefined;
      };

      const sliceOf = slices.map(([, of]) => of);
      // Of the row in hand, by slice.
      const values: SliceValue[] = [];
      const predict = (key: Key, row: Row, timeMs: number, nowMs: number): void => {
        for (let i = 0; i < sliceOf.length; i++) values[i] = sliceOf[i]?.(row);
        const group = windows.predict(timeMs, prediction.version?.(row) ?? '', values, nowMs);
        if (group === undefined) {
          context.deadLetter('too-many-windows', `${plan.windowsMax} windows are open already`);
          return;
        }
        store.predict(key, timeMs, prediction.value(row), prediction.weight?.(row) ?? null, group);
        count('predicted');
      };

      const judge = (key: Key, row: Label, nowMs: number, origin: Origin): void => {
        const value = label.value(row);
        const judgement =
          value === null || value === undefined ? 'unknown' : store.label(key, origin.eventTimeMs, value);
        if (typeof judgement === 'string') count(judgement);
        else apply(judgement, nowMs, origin);
      };

      const tellTo =
        (emit: Emit) =>
        (counts: SliceCounts, results: Record<string, unknown>, own: Sums): void => {
          emit(rowOf(context.task, counts, results, sums ? own : NO_SUMS), counts.atMs);
          const { slice, value, version, endMs, labelled } = counts;
          const of = { slice: slice === 'all' ? '' : `${slice}=${value}`, version, weight: labelled };
          for (const name of measured) {
            const figure = results[name];
            const interval = metrics[name]?.additive?.interval?.(own[name] ?? []);
            if (typeof figure === 'number') context.measure(name, figure, endMs, { ...of, interval });
          }
        };

      return {
        onRecord(input, value, emit, origin) {
          const { eventTimeMs } = origin;
          // What this record changes is not known before its time, however far behind the watermark is.
          const time = opened.clock.get();
          observe(time, eventTimeMs, jumpMs);
          opened.clock.set(time);
          windows.tell(time.nowMs, tellTo(emit as Emit));
          const nowMs = Math.max(eventTimeMs, time.nowMs, context.watermarkMs);
          const key = input === 0 ? prediction.key(value as Row) : label.key(value as Label);
          if (isEmptyKey(key)) return context.deadLetter('empty-key', emptyKeyText(key));
          if (input === 1) return judge(key as Key, value as Label, nowMs, origin);
          if (store.has(key as Key)) return count('duplicates');
          const refusal = refusalOf(key as Key, eventTimeMs);
          if (refusal) return context.deadLetter(...refusal);
          predict(key as Key, value as Row, eventTimeMs, nowMs);
        },

        onWatermark(watermarkMs, emit) {
          // In the order of time, so that rows do not depend on how the watermark rose.
          for (;;) {
            const nextMs = Math.min(store.nextMs(), windows.nextMs());
            if (nextMs > watermarkMs) return;
            store.end(
              nextMs,
              (judgement) => apply(judgement, Math.max(nextMs, opened.clock.get().nowMs)),
              () => count('missing'),
            );
            windows.end(nextMs, tellTo(emit as Emit));
          }
        },

        onCheckpoint: windows.settle,
      };
    },
  });
}

/** The name under which the delays of labels are kept beside the metrics. */
const DELAYS = '';

const COUNTERS = [
  'predicted',
  'labelled',
  'assumed',
  'corrected',
  'missing',
  'repeated',
  'unmatched',
  'unknown',
  'duplicates',
] as const;

function rowOf(
  task: number,
  counts: SliceCounts,
  { [DELAYS]: delays, ...metrics }: Record<string, unknown>,
  sums: Sums,
): object {
  const [p50, p95] = delays as readonly (number | null)[];
  const { predicted, labelled } = counts;
  return { ...counts, task, coverage: labelled / predicted, delayP50Ms: p50, delayP95Ms: p95, sums, ...metrics };
}

function problemsOf<Row, Label, M extends Named>(
  {
    wait,
    correctable,
    missing,
    metrics,
    measured = [],
    slices = {},
    every,
    pendingMax,
  }: EvaluateOptions<Row, Label, M>,
  limits: Readonly<Record<string, number>>,
): Problem[] {
  const taken = Object.keys(metrics).filter((name) => name === DELAYS || name in evaluationColumns);
  const positive = { wait, every, ...(correctable !== undefined && { correctable }) };
  const whole = { pendingMax, ...limits };
  return [
    ...Object.entries(positive)
      .filter(([, value]) => !(value > 0))
      .map(([name, value]) => ({ message: `${name} is ${value}`, hint: 'give it a duration, such as hours(1)' })),
    ...Object.entries(whole)
      .filter(([, value]) => !(Number.isInteger(value) && value >= 1))
      .map(([name, value]) => ({ message: `${name} is ${value}`, hint: 'give it a whole number above 0' })),
    ...taken.map((name) => ({
      message: `a metric '${name}'`,
      hint: 'a row has such a field already: name it otherwise',
    })),
    ...(Object.keys(slices).includes('all')
      ? [{ message: "a slice 'all'", hint: 'that is the slice of all rows' }]
      : []),
    ...measured
      .filter((name) => !(name in metrics))
      .map((name) => ({ message: `no metric '${name}' to be measured`, hint: 'name those of `metrics`' })),
    ...aggregateProblems(metrics),
    ...(correctable === undefined && missing === undefined ? [] : retractionProblems(metrics)),
  ];
}
