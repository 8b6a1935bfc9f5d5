import { credibleJump, eventClock, observe } from '../../core/event-clock.js';
import {
  type Duration,
  formatDuration,
  type MultiInputOperator,
  millis,
  type Problem,
  stateful,
} from '../../core/index.js';
import type { Calibrator } from '../../ml/calibration/calibrator.js';
import { isotonic } from '../../ml/calibration/isotonic.js';
import { adwin, type DriftDetector } from '../../ml/drift/index.js';
import {
  addEstimate,
  addLabel,
  emptyPerformance,
  type Performance,
  type PerformanceSums,
  performanceOf,
} from '../../ml/evaluation/performance-estimate.js';
import { probabilityOf } from '../../ml/metrics/labelled.js';
import { float64Cell, mapCell, timerCell, valueCell } from '../../state/index.js';
import { emptyKeyText, isEmptyKey, type Key } from '../keys.js';
import { optionProblems, requireOptions } from '../options.js';

/** Where probabilities and their labels are, and how long labels take. */
export interface EstimatePerformanceOptions<Row, Label> {
  /** How to read a prediction. */
  readonly prediction: {
    /** Identity of what is predicted. */
    readonly key: (row: Row) => Key | null | undefined;
    /** The probability that the label is true. */
    readonly value: (row: Row) => number | null | undefined;
  };
  /** How to read the values of the input `labels`. */
  readonly label: {
    /** Identity of what the label is of. */
    readonly key: (label: Label) => Key | null | undefined;
    /** The label. */
    readonly value: (label: Label) => boolean;
  };
  /** How long a prediction waits for its label, in event time. */
  readonly wait: Duration;
  /** The size of a window of predictions. */
  readonly every: Duration;
  /** Maximum number of predictions that wait; the oldest is dropped first. */
  readonly pendingMax: number;
  /** A probability above it decides for true (default: 0.5). */
  readonly threshold?: number;
  /** What learns from labels how often predictions come true (default: `isotonic()`). */
  readonly calibrator?: Calibrator;
  /** What finds that labels follow another rule than before (default: `adwin({ delta: 1e-9 })`). */
  readonly detector?: DriftDetector;
  /** Labels after such a drift until estimates are trusted again (default: 30,000). */
  readonly distrustLabels?: number;
}

/** The performance of a window as it is estimated, and as it turned out to be. */
export interface PerformanceRow extends Performance {
  readonly task: number;
  readonly startMs: number;
  readonly endMs: number;
  /** The event time at which this is known. */
  readonly atMs: number;
  /**
   * Whether the estimates can be trusted: false before there are labels, and from a drift of the labels on until the calibration is made of
   * newer ones.
   */
  readonly knows: boolean;
}

/**
 * The columns of a ClickHouse table of estimated performance.
 *
 * @example clickhouse.tableSink({ table: 'expected', columns: performanceColumns, orderBy: ['startMs', 'atMs'] });
 */
export const performanceColumns = Object.freeze({
  task: 'UInt32',
  startMs: 'Int64',
  endMs: 'Int64',
  atMs: 'Int64',
  knows: 'Bool',
  predicted: 'UInt64',
  labelled: 'UInt64',
  expectedRocAuc: 'Nullable(Float64)',
  expectedLogLoss: 'Nullable(Float64)',
  expectedAccuracy: 'Nullable(Float64)',
  expectedPrecision: 'Nullable(Float64)',
  expectedRecall: 'Nullable(Float64)',
  rocAuc: 'Nullable(Float64)',
  logLoss: 'Nullable(Float64)',
  accuracy: 'Nullable(Float64)',
  precision: 'Nullable(Float64)',
  recall: 'Nullable(Float64)',
}) satisfies Readonly<Record<keyof PerformanceRow, string>>;

/** Windows ahead of the watermark that may be open. */
const AHEAD_MAX = 100;

/**
 * Says what metrics probably are before labels come (confidence-based estimation), and later what they turned out to be. A prediction of 0.8
 * is right in eight of ten cases, if it is calibrated: so calibrated probabilities alone say how often decisions are right.
 *
 *   in      --a--b--|-----------|     windows |
 *   labels  --------|--(a)-(b)--|
 *   out     --------E-----------T     E of a and b is estimated, T has what the labels said
 *
 * A calibrator learns from each label how often predictions come true. A window has a row when it ends, and another one when the wait of its
 * last prediction is over. The second has the metrics of the labels that came; its estimates stay, but for predictions that came late.
 *
 * Errors: estimates know the inputs, and not the rule of the labels. If the same inputs get other labels (label or concept drift), no estimate
 * can show it before labels do. A detector watches how far labels are off the calibrated probabilities on average, and from its drift on
 * `knows` is false for `distrustLabels` labels. Until labels come that is not known either: look at `wait` and at the delay of labels.
 * Guarantees: a row depends on no record after it; all state is in the checkpoint, so a replay gives the same rows.
 * Counters: `predicted`, `labelled`, `missing` (no label came), `unmatched`, `pending_evicted`, `drifts`.
 * Dead letters: `empty-key`, `late` (a prediction of a window that has ended), `too-many-windows`, `no-probability`.
 * Memory: `pendingMax` predictions, some 60 bytes each; 8 KiB a window of the last `wait`; the numbers of calibrator and detector.
 * Source: the estimation of confusion matrices and ROC AUC as NannyML's CBPE; ROC AUC from 256 bins of the score.
 *
 * @example
 * scored
 *   .via('expected', { labels: arrived }, estimatePerformance({
 *     prediction: { key: (f) => f.flightId, value: (f) => f.late.probability },
 *     label: { key: (a) => a.flightId, value: (a) => a.delayMinutes >= 15 },
 *     wait: hours(24),
 *     every: days(1),
 *     pendingMax: 100_000,
 *   }))
 *   .to('expected', clickhouse.tableSink({ table: 'expected', columns: performanceColumns, orderBy: ['startMs', 'atMs'] }));
 */
export function estimatePerformance<Row, Label>(
  options: EstimatePerformanceOptions<Row, Label>,
): MultiInputOperator<Row, { labels: Label }, PerformanceRow> {
  requireOptions('estimatePerformance', options);
  const { prediction, label, wait, every, pendingMax, threshold = 0.5 } = options;
  const { calibrator = isotonic(), detector = adwin({ delta: 1e-9 }), distrustLabels = 30_000 } = options;
  const problems = [
    ...optionProblems('estimatePerformance', options),
    ...problemsOf(options, threshold, distrustLabels),
    ...detector.problems,
  ];
  const kept = problems.length === 0 ? { ttl: wait, entriesMax: pendingMax } : { ttl: millis(1), entriesMax: 1 };
  const timersMax = problems.length === 0 ? 2 * (Math.ceil(wait / every) + 2 + AHEAD_MAX) : 1;
  const cells = {
    pending: mapCell<Key, readonly [startMs: number, said: number, calibrated: number]>(kept),
    windows: mapCell<number, PerformanceSums>(),
    ends: timerCell<number>({ timersMax }),
    finals: timerCell<number>({ timersMax }),
    calibration: float64Cell({ size: calibrator.size }),
    detector: float64Cell({ size: detector.size }),
    /** Labels that are still to come until estimates are trusted. */
    distrust: valueCell<number>({ initial: 0 }),
    labels: valueCell<number>({ initial: 0 }),
    clock: valueCell({ initial: eventClock() }),
  };
  const jumpMs = credibleJump(Math.max(wait, every));
  return stateful<Row, { labels: Label }, PerformanceRow, typeof cells>({
    kind: 'estimatePerformance',
    settings: {
      ...{ wait: formatDuration(wait), every: formatDuration(every), pendingMax, threshold, distrustLabels },
      calibrator: calibrator.kind,
      ...Object.fromEntries(Object.entries(calibrator.settings).map(([name, value]) => [`calibrator.${name}`, value])),
      detector: detector.kind,
      ...Object.fromEntries(Object.entries(detector.settings).map(([name, value]) => [`detector.${name}`, value])),
    },
    problems,
    inputs: ['labels'],
    keys: [prediction.key, label.key],
    cells,
    open({ pending, windows, ends, finals, calibration, detector: watch, distrust, labels, clock }, context) {
      const { calibrate, learn } = calibrator.open(calibration.values);
      const names = ['predicted', 'labelled', 'missing', 'unmatched', 'pending_evicted', 'drifts'] as const;
      const counters = Object.fromEntries(names.map((name) => [name, context.counter(name)]));
      const count = (name: (typeof names)[number], by = 1): void => counters[name]?.add(by);
      const touchAll = (cell: typeof calibration): void => {
        for (let at = 0; at < cell.values.length; at += 256) cell.touch(at);
      };
      let expiredSeen = pending.expired;

      /** Opens the window of a prediction, or says why it cannot. */
      const refusalOf = (startMs: number): readonly [reason: string, detail: string] | undefined => {
        const finalMs = startMs + every + wait + 1;
        if (finalMs <= context.watermarkMs) return ['late', `the window ended ${context.watermarkMs - finalMs} ms ago`];
        if (finals.has(finalMs, startMs)) return undefined;
        if (finals.size >= timersMax) return ['too-many-windows', `${timersMax} windows are open already`];
        finals.add(finalMs, startMs);
        if (startMs + every > context.watermarkMs) ends.add(startMs + every, startMs);
        return undefined;
      };

      const predict = (key: Key, said: number, startMs: number, timeMs: number): void => {
        const calibrated = calibrate(said);
        const sums = windows.get(startMs) ?? emptyPerformance();
        addEstimate(sums, said, calibrated, threshold);
        windows.set(startMs, sums);
        const evicted = pending.evicted;
        pending.set(key, [startMs, said, calibrated], timeMs);
        if (pending.evicted > evicted) count('pending_evicted', pending.evicted - evicted);
        count('predicted');
      };

      const judge = (key: Key, isTrue: boolean): void => {
        const waiting = pending.get(key);
        if (waiting === undefined) {
          count('unmatched');
          return;
        }
        const [startMs, said, calibrated] = waiting;
        pending.delete(key);
        count('labelled');
        const sums = windows.get(startMs);
        if (sums) {
          addLabel(sums, said, isTrue, threshold);
          windows.set(startMs, sums);
        }
        const seen = detector.add(watch.values, 0, (1 + calibrated - Number(isTrue)) / 2);
        touchAll(watch);
        // While the calibration is new, labels are off because of that.
        const isLearning = labels.get() < distrustLabels;
        if (seen?.level === 'drift' && !isLearning) count('drifts');
        distrust.set(seen?.level === 'drift' && !isLearning ? distrustLabels : Math.max(0, distrust.get() - 1));
        labels.set(labels.get() + 1);
        learn(said, isTrue, 1);
        touchAll(calibration);
      };

      const rowOf = (startMs: number, atMs: number): PerformanceRow => ({
        ...{ task: context.task, startMs, endMs: startMs + every, atMs },
        knows: labels.get() >= distrustLabels && distrust.get() === 0,
        ...performanceOf(windows.get(startMs) ?? emptyPerformance()),
      });

      return {
        onRecord(input, value, _emit, { eventTimeMs }) {
          const time = clock.get();
          const timeMs = observe(time, eventTimeMs, jumpMs);
          clock.set(time);
          pending.expire(time.nowMs);
          if (pending.expired > expiredSeen) count('missing', pending.expired - expiredSeen);
          expiredSeen = pending.expired;
          const key = input === 0 ? prediction.key(value as Row) : label.key(value as Label);
          if (isEmptyKey(key)) return context.deadLetter('empty-key', emptyKeyText(key));
          if (input === 1) return judge(key as Key, label.value(value as Label));
          const said = probabilityOf(prediction.value(value as Row));
          if (Number.isNaN(said)) return context.deadLetter('no-probability', `the prediction of ${key} is none`);
          const startMs = Math.floor(eventTimeMs / every) * every;
          const refusal = refusalOf(startMs);
          if (refusal) return context.deadLetter(...refusal);
          predict(key as Key, said, startMs, timeMs);
        },
        onWatermark(watermarkMs, emit) {
          for (;;) {
            const nextMs = Math.min(ends.nextMs, finals.nextMs);
            if (nextMs > watermarkMs) return;
            ends.takeDue(nextMs, (startMs) => emit(rowOf(startMs, nextMs), nextMs));
            finals.takeDue(nextMs, (startMs) => {
              emit(rowOf(startMs, nextMs), nextMs);
              windows.delete(startMs);
            });
          }
        },
      };
    },
  });
}

function problemsOf<Row, Label>(
  { wait, every, pendingMax }: EstimatePerformanceOptions<Row, Label>,
  threshold: number,
  distrustLabels: number,
): Problem[] {
  const problems: Problem[] = [];
  for (const [name, value] of Object.entries({ wait, every }))
    if (!(value > 0)) problems.push({ message: `${name} is ${value}`, hint: 'give it a duration, such as hours(24)' });
  for (const [name, value] of Object.entries({ pendingMax, distrustLabels }))
    if (!(Number.isInteger(value) && value >= 1))
      problems.push({ message: `${name} is ${value}`, hint: 'give it a whole number above 0' });
  if (!(threshold >= 0 && threshold <= 1))
    problems.push({ message: `threshold is ${threshold}`, hint: 'give it a probability' });
  return problems;
}
