import type { Accumulator } from '../../aggregates/accumulator.js';
import { type MapCell, mapCell, type TimerCell, timerCell, type ValueCell, valueCell } from '../../state/index.js';
import { layoutVersion } from '../features/plan.js';

/** Of a slice and window: where it is, when its next row is due (0: nothing is new), its counts, and the state of its metrics. */
interface SliceWindow {
  readonly slice: string;
  readonly value: string;
  readonly startMs: number;
  dueMs: number;
  /** Predictions, labels, assumed labels, corrections. */
  readonly counts: number[];
  /** Of the slice of all rows: how many values each other slice has. */
  readonly values: number[];
  readonly numbers: Float64Array;
  readonly states: unknown[];
}

/** What a slice and window has, beside its metrics. */
export interface SliceCounts {
  /** Which slice: `all`, or a name of the slices. */
  readonly slice: string;
  /** Which rows of it; `other` for what is beyond its limit, and empty for all. */
  readonly value: string;
  /** The window, by the event time of predictions. */
  readonly startMs: number;
  readonly endMs: number;
  /** The event time at which this is known: no record of this time or later is counted. */
  readonly atMs: number;
  readonly predicted: number;
  /** Predictions with a label, assumed ones too. */
  readonly labelled: number;
  readonly assumed: number;
  /** Labels that replaced another label. */
  readonly corrected: number;
}

const PREDICTED = 0;
const LABELLED = 1;
const ASSUMED = 2;
const CORRECTED = 3;

/** What a label changes. */
export interface JudgementOf<In> {
  readonly before: In | null;
  readonly after: In;
  /** Whether the label is assumed, and whether the one before was. */
  readonly isAssumed: boolean;
  readonly wasAssumed: boolean;
}

/** How slices and windows are kept. */
export interface SlicePlan {
  readonly everyMs: number;
  /** How long after its end a window may change. */
  readonly keptMs: number;
  /** Names of slices, in their order. */
  readonly slices: readonly string[];
  /** Values of a slice and window; the others count as one. */
  readonly slicesMax: number;
  /** Windows of event time, of all slices together. */
  readonly windowsMax: number;
}

/** Places there may be: in each window one of all rows, and of each slice its values and one for the others. */
const placesMax = ({ slices, slicesMax, windowsMax }: SlicePlan): number =>
  windowsMax * (1 + slices.length * (slicesMax + 1));

/** The cells of windows by slice, for accumulators of a layout. */
export const sliceCells = (plan: SlicePlan, layout: Accumulator<never>['layout']) => ({
  // Sums of other metrics, slices or windows must not meet these.
  windows: mapCell<string, SliceWindow>({ version: layoutVersion([layout, plan.slices, plan.everyMs]) }),
  /** Windows of event time that are open. */
  opened: valueCell({ initial: 0 }),
  rows: timerCell<string>({ timersMax: placesMax(plan) }),
  closes: timerCell<string>({ timersMax: placesMax(plan) }),
});

interface SliceCells {
  readonly windows: MapCell<string, SliceWindow>;
  readonly opened: ValueCell<number>;
  readonly rows: TimerCell<string>;
  readonly closes: TimerCell<string>;
}

/** Takes a row. */
type Tell = (counts: SliceCounts, metrics: Record<string, unknown>) => void;

/** Metrics by slice and window. */
export interface SliceWindows<in In> {
  /** Where a prediction at this time counts, given its value of each slice; undefined if there are too many windows. */
  placesOf(timeMs: number, values: readonly string[]): readonly string[] | undefined;
  /** Counts a prediction at a place, which is open as long as its predictions are kept. A row is due at the end of the interval of `nowMs`. */
  predict(place: string, nowMs: number): void;
  /** Measures a prediction with its label, in place of what was known of it. */
  judge(place: string, nowMs: number, judgement: JudgementOf<In>): void;
  /** Tells the rows that are due up to a time, in the order of time. */
  tell(nowMs: number, tell: Tell): void;
  /** When a row is due or a window ends next. */
  readonly nextMs: number;
  /** Tells what is due up to a time that is not above `nextMs`, and forgets the windows that have ended. */
  end(nowMs: number, tell: Tell): void;
}

/** What the values beyond the limit of a slice count as. */
const OTHER = 'other';

/**
 * Opens windows by slice on their cells. A window has a row at the end of each interval in which it changed, and one when it ends if there
 * is news. Rows of the same time come in the order of their places.
 *
 * Memory: the metrics' state and some 200 bytes for each value of a slice and window: in each of `windowsMax` windows `slicesMax` + 1 a slice.
 */
export function sliceWindows<In>(
  { windows, opened, rows, closes }: SliceCells,
  accumulator: Accumulator<In>,
  { everyMs, keptMs, slices, slicesMax, windowsMax }: SlicePlan,
): SliceWindows<In> {
  const placeOf = (startMs: number, slice: number, value: string): string => `${startMs}|${slice}|${value}`;
  const open = (place: string, slice: string, value: string, startMs: number): SliceWindow => {
    const numbers = new Float64Array(accumulator.numbers);
    const states: unknown[] = [];
    accumulator.init(numbers, 0, states, 0);
    const values = slice === 'all' ? slices.map(() => 0) : [];
    const window: SliceWindow = { slice, value, startMs, dueMs: 0, counts: [0, 0, 0, 0], values, numbers, states };
    windows.set(place, window);
    closes.add(startMs + everyMs + keptMs + 1, place);
    return window;
  };
  const bump = ({ counts }: SliceWindow, counter: number, by: number): void => {
    counts[counter] = (counts[counter] as number) + by;
  };
  const keep = (place: string, window: SliceWindow, nowMs: number): void => {
    if (window.dueMs === 0) {
      window.dueMs = (Math.floor(nowMs / everyMs) + 1) * everyMs;
      rows.add(window.dueMs, place);
    }
    windows.set(place, window);
  };
  const tellOf = ({ slice, value, startMs, counts, numbers, states }: SliceWindow, atMs: number, tell: Tell): void => {
    const metrics: Record<string, unknown> = {};
    accumulator.results(metrics, numbers, 0, states, 0);
    const [predicted = 0, labelled = 0, assumed = 0, corrected = 0] = counts;
    tell({ slice, value, startMs, endMs: startMs + everyMs, atMs, predicted, labelled, assumed, corrected }, metrics);
  };
  const tellDue = (nowMs: number, tell: Tell): void =>
    rows.takeDue(nowMs, (place, timeMs) => {
      const window = windows.get(place) as SliceWindow;
      window.dueMs = 0;
      windows.set(place, window);
      tellOf(window, timeMs, tell);
    });
  return {
    placesOf(timeMs, values) {
      const startMs = Math.floor(timeMs / everyMs) * everyMs;
      const whole = placeOf(startMs, 0, '');
      let all = windows.get(whole);
      if (all === undefined) {
        if (opened.get() >= windowsMax) return undefined;
        opened.set(opened.get() + 1);
        all = open(whole, 'all', '', startMs);
      }
      const { values: valuesOf } = all;
      const places = [whole];
      slices.forEach((slice, i) => {
        const value = values[i] as string;
        const place = placeOf(startMs, i + 1, value);
        const other = placeOf(startMs, i + 1, OTHER);
        if (windows.has(place)) places.push(place);
        else if ((valuesOf[i] as number) < slicesMax) {
          valuesOf[i] = (valuesOf[i] as number) + 1;
          open(place, slice, value, startMs);
          places.push(place);
        } else {
          if (!windows.has(other)) open(other, slice, OTHER, startMs);
          places.push(other);
        }
      });
      windows.set(whole, all);
      return places;
    },

    predict(place, nowMs) {
      const window = windows.get(place) as SliceWindow;
      bump(window, PREDICTED, 1);
      keep(place, window, nowMs);
    },

    judge(place, nowMs, { before, after, isAssumed, wasAssumed }) {
      const window = windows.get(place) as SliceWindow;
      const { numbers, states } = window;
      if (before === null) bump(window, LABELLED, 1);
      else {
        accumulator.retract(numbers, 0, states, 0, before, 0);
        if (!wasAssumed) bump(window, CORRECTED, 1);
      }
      accumulator.add(numbers, 0, states, 0, after, 0);
      if (isAssumed !== wasAssumed) bump(window, ASSUMED, isAssumed ? 1 : -1);
      keep(place, window, nowMs);
    },

    get nextMs() {
      return Math.min(rows.nextMs, closes.nextMs);
    },

    tell: tellDue,

    end(nowMs, tell) {
      tellDue(nowMs, tell);
      closes.takeDue(nowMs, (place, timeMs) => {
        const window = windows.get(place) as SliceWindow;
        if (window.dueMs !== 0) {
          rows.delete(window.dueMs, place);
          tellOf(window, timeMs, tell);
        }
        windows.delete(place);
        if (window.slice === 'all') opened.set(opened.get() - 1);
      });
    },
  };
}
