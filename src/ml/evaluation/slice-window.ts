import type { Accumulator } from '../../aggregates/accumulator.js';
import { type Origin, placeOf, type RecordPlace, thrownBy } from '../../core/index.js';
import type { SlotCell, TimerCell } from '../../state/index.js';

/** The number of a window, model version and value of a slice. */
export type Place = number;

/** Of a window, version and slice: what it is of, and what is known of it. */
export interface SliceWindow {
  /** The slice by its number; 0 is that of all rows. */
  readonly slice: number;
  readonly value: string;
  readonly version: string;
  readonly startMs: number;
  /** When its next row is due (0: nothing is new), its counts, and from `METRICS` on those of its metrics: what a record changes lies together. */
  readonly numbers: Float64Array;
  readonly states: unknown[];
}

export const DUE = 0;
const PREDICTED = 1;
const LABELLED = 2;
const ASSUMED = 3;
const CORRECTED = 4;
export const METRICS = 5;

/** The counts of a window. */
export const countsOf = ([, predicted = 0, labelled = 0, assumed = 0, corrected = 0]: Float64Array) => ({
  predicted,
  labelled,
  assumed,
  corrected,
});

/** What a label changes. */
export interface JudgementOf<In> {
  readonly before: In | null;
  readonly after: In;
  /** Whether the label is assumed, and whether the one before was. */
  readonly isAssumed: boolean;
  readonly wasAssumed: boolean;
}

/** What predictions and labels are counted in. */
interface Counted<In> {
  readonly windows: SlotCell<SliceWindow>;
  /** When windows have rows. */
  readonly rows: TimerCell<Place>;
  readonly accumulator: Accumulator<In>;
  readonly everyMs: number;
  /** How many windows each counts in. */
  readonly across: number;
  /** The step that errors name. */
  readonly step: string;
}

/** A window that rows count in, and what waits to be counted there. */
export interface Target {
  readonly place: Place;
  /** While something waits. */
  window: SliceWindow | undefined;
  predicted: number;
}

export const targetOf = (place: Place): Target => ({ place, window: undefined, predicted: 0 });

/** Predictions and labels that wait to be counted; a row is due at the end of the interval of `nowMs`. */
export interface HeldRows<In> {
  /** Holds a prediction, in the windows that it counts in. */
  predict(targets: readonly Target[], nowMs: number): void;
  /** Holds its label; `origin` is the label's. */
  judge(targets: readonly Target[], nowMs: number, judgement: JudgementOf<In>, origin?: Origin): void;
  /** Counts what is held. */
  settle(): void;
  /** When what is held makes rows due. */
  dueMs(): number;
  /** Lets go of windows that have ended; only when nothing is held. */
  forget(): void;
}

/** So many labels are counted together. */
const HELD_MAX = 256;

/**
 * Holds rows until some can be counted one after another: they touch the same windows, and each by itself would have to fetch these from far
 * away: a fifth to a third of what `npm run bench -- evaluation` measures. An error of a metric names the record that it belongs to.
 *
 * Memory: 256 labels.
 */
export function heldRows<In>({ windows, rows, accumulator, everyMs, across, step }: Counted<In>): HeldRows<In> {
  // Where something waits.
  const touched: Target[] = [];
  // Of each label: what it changes, its record, and its windows.
  const judgements: JudgementOf<In>[] = [];
  const records: (RecordPlace | undefined)[] = [];
  const judged: SliceWindow[] = [];
  let count = 0;
  let dueMs = Number.POSITIVE_INFINITY;
  // Of the label in hand.
  const numbersOf: Float64Array[] = [];
  const statesOf: unknown[][] = [];
  const bump = (numbers: Float64Array, count: number, by: number): void => {
    numbers[count] = (numbers[count] as number) + by;
  };
  const touch = (target: Target): SliceWindow => {
    target.window = windows.change(target.place) as SliceWindow;
    touched.push(target);
    return target.window;
  };
  const countPredictions = (rowsDueMs: number): void => {
    for (const target of touched) {
      const { place, predicted } = target;
      const { numbers } = target.window as SliceWindow;
      if (numbers[DUE] === 0) {
        numbers[DUE] = rowsDueMs;
        rows.add(rowsDueMs, place);
      }
      bump(numbers, PREDICTED, predicted);
      target.predicted = 0;
      target.window = undefined;
    }
    touched.length = 0;
  };
  const countLabel = ({ before, after, isAssumed, wasAssumed }: JudgementOf<In>, first: number): void => {
    for (let i = 0; i < across; i++) {
      const { numbers, states } = judged[first + i] as SliceWindow;
      numbersOf[i] = numbers;
      statesOf[i] = states;
      if (before === null) bump(numbers, LABELLED, 1);
      else {
        accumulator.retract(numbers, METRICS, states, 0, before, 0);
        if (!wasAssumed) bump(numbers, CORRECTED, 1);
      }
      if (isAssumed !== wasAssumed) bump(numbers, ASSUMED, isAssumed ? 1 : -1);
    }
    accumulator.addEach(numbersOf, METRICS, statesOf, across, after, 0);
  };
  const settle = (): void => {
    countPredictions(dueMs);
    const end = count;
    count = 0;
    dueMs = Number.POSITIVE_INFINITY;
    for (let row = 0; row < end; row++) {
      try {
        countLabel(judgements[row] as JudgementOf<In>, row * across);
      } catch (error) {
        throw thrownBy(step, error, records[row]);
      }
    }
  };
  const dueBy = (nowMs: number): void => {
    if (nowMs < dueMs && nowMs >= dueMs - everyMs) return;
    settle();
    dueMs = (Math.floor(nowMs / everyMs) + 1) * everyMs;
  };
  return {
    predict(targets, nowMs) {
      dueBy(nowMs);
      for (let i = 0; i < across; i++) {
        const target = targets[i] as Target;
        if (target.window === undefined) touch(target);
        target.predicted++;
      }
    },

    judge(targets, nowMs, judgement, origin) {
      if (count === HELD_MAX) settle();
      dueBy(nowMs);
      judgements[count] = judgement;
      records[count] = origin && placeOf(origin);
      for (let i = 0, to = count * across; i < across; i++, to++) {
        const target = targets[i] as Target;
        judged[to] = target.window ?? touch(target);
      }
      count++;
    },

    settle,

    dueMs: () => dueMs,

    forget() {
      judgements.length = 0;
      records.length = 0;
      judged.length = 0;
    },
  };
}
