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

/** Predictions and labels that wait to be counted. */
export interface HeldRows<In> {
  /** Holds a prediction or, with a judgement, its label, in the windows at these places. A row is due at the end of the interval of `nowMs`. */
  hold(places: readonly Place[], nowMs: number, judgement?: JudgementOf<In>, origin?: Origin): void;
  /** Counts what is held. */
  settle(): void;
  /** When what is held makes rows due. */
  readonly dueMs: number;
  /** Lets go of windows that have ended; only when nothing is held. */
  forget(): void;
}

/** So many are counted together. */
const HELD_MAX = 256;

/**
 * Holds rows until some can be counted one after another: they touch the same windows, and each by itself would have to fetch these from far
 * away: a fifth to a third of what `npm run bench -- evaluation` measures. An error of a metric names the record that it belongs to.
 *
 * Memory: 256 rows.
 */
export function heldRows<In>({ windows, rows, accumulator, everyMs, across, step }: Counted<In>): HeldRows<In> {
  // Of each: the label that came, or undefined for a prediction, and where it counts.
  const judgements: (JudgementOf<In> | undefined)[] = [];
  const records: (RecordPlace | undefined)[] = [];
  const places: Place[] = [];
  const targets: SliceWindow[] = [];
  let count = 0;
  let dueMs = Number.POSITIVE_INFINITY;
  // Of the row in hand.
  const numbersOf: Float64Array[] = [];
  const statesOf: unknown[][] = [];
  const bump = (numbers: Float64Array, count: number, by: number): void => {
    numbers[count] = (numbers[count] as number) + by;
  };
  const judge = ({ before, after, isAssumed, wasAssumed }: JudgementOf<In>): void => {
    for (let i = 0; i < across; i++) {
      const numbers = numbersOf[i] as Float64Array;
      if (before === null) bump(numbers, LABELLED, 1);
      else {
        accumulator.retract(numbers, METRICS, statesOf[i] as unknown[], 0, before, 0);
        if (!wasAssumed) bump(numbers, CORRECTED, 1);
      }
      if (isAssumed !== wasAssumed) bump(numbers, ASSUMED, isAssumed ? 1 : -1);
    }
    accumulator.addEach(numbersOf, METRICS, statesOf, across, after, 0);
  };
  const settle = (): void => {
    const [end, rowsDueMs] = [count, dueMs];
    count = 0;
    dueMs = Number.POSITIVE_INFINITY;
    for (let row = 0, first = 0; row < end; row++, first += across) {
      const judgement = judgements[row];
      for (let i = 0; i < across; i++) {
        const { numbers, states } = targets[first + i] as SliceWindow;
        if (numbers[DUE] === 0) {
          numbers[DUE] = rowsDueMs;
          rows.add(rowsDueMs, places[first + i] as Place);
        }
        if (judgement === undefined) bump(numbers, PREDICTED, 1);
        numbersOf[i] = numbers;
        statesOf[i] = states;
      }
      if (judgement === undefined) continue;
      try {
        judge(judgement);
      } catch (error) {
        throw thrownBy(step, error, records[row]);
      }
    }
  };
  return {
    hold(at, nowMs, judgement, origin) {
      const endMs = (Math.floor(nowMs / everyMs) + 1) * everyMs;
      if (count === HELD_MAX || endMs !== dueMs) settle();
      dueMs = endMs;
      judgements[count] = judgement;
      records[count] = origin && placeOf(origin);
      for (let i = 0, to = count * across; i < across; i++, to++) {
        const place = at[i] as Place;
        places[to] = place;
        targets[to] = windows.change(place) as SliceWindow;
      }
      count++;
    },

    settle,

    get dueMs() {
      return dueMs;
    },

    forget() {
      judgements.length = 0;
      records.length = 0;
      targets.length = 0;
    },
  };
}
