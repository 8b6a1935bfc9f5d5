import type { Accumulator } from '../../aggregates/accumulator.js';
import { type MapCell, mapCell, type TimerCell, timerCell, type ValueCell, valueCell } from '../../state/index.js';
import { layoutVersion } from '../features/plan.js';

/** Where a prediction counts: the number of a slice and window. */
export type Place = number;

/** Of a slice and window: what it is of, when its next row is due (0: nothing is new), its counts, and the state of its metrics. */
interface SliceWindow {
  readonly name: string;
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
  windows: mapCell<Place, SliceWindow>({ version: layoutVersion([layout, plan.slices, plan.everyMs]) }),
  places: mapCell<string, Place>(),
  /** Windows of event time that are open, of all slices together, and the number of the next place. */
  opened: valueCell<readonly [windows: number, next: Place]>({ initial: [0, 0] }),
  rows: timerCell<Place>({ timersMax: placesMax(plan) }),
  closes: timerCell<Place>({ timersMax: placesMax(plan) }),
});

interface SliceCells {
  readonly windows: MapCell<Place, SliceWindow>;
  readonly places: MapCell<string, Place>;
  readonly opened: ValueCell<readonly [windows: number, next: Place]>;
  readonly rows: TimerCell<Place>;
  readonly closes: TimerCell<Place>;
}

/** Takes a row. */
type Tell = (counts: SliceCounts, metrics: Record<string, unknown>) => void;

/** Metrics by slice and window. */
export interface SliceWindows<in In> {
  /** Where a prediction at this time counts, given its value of each slice; undefined if there are too many windows. */
  placesOf(timeMs: number, values: readonly string[]): readonly Place[] | undefined;
  /** Counts a prediction at a place, which is open as long as its predictions are kept. A row is due at the end of the interval of `nowMs`. */
  predict(place: Place, nowMs: number): void;
  /** Measures a prediction with its label, in place of what was known of it. */
  judge(place: Place, nowMs: number, judgement: JudgementOf<In>): void;
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
 * is news. Rows of the same time come in the order in which their windows were opened.
 *
 * Memory: the metrics' state and some 200 bytes for each value of a slice and window: in each of `windowsMax` windows `slicesMax` + 1 a slice.
 */
export function sliceWindows<In>(
  { windows, places, opened, rows, closes }: SliceCells,
  accumulator: Accumulator<In>,
  { everyMs, keptMs, slices, slicesMax, windowsMax }: SlicePlan,
): SliceWindows<In> {
  const nameOf = (startMs: number, slice: number, value: string): string => `${startMs}|${slice}|${value}`;
  const open = (name: string, slice: string, value: string, startMs: number): Place => {
    const [open, place] = opened.get();
    opened.set([open + (slice === 'all' ? 1 : 0), place + 1]);
    const numbers = new Float64Array(accumulator.numbers);
    const states: unknown[] = [];
    accumulator.init(numbers, 0, states, 0);
    const values = slice === 'all' ? slices.map(() => 0) : [];
    windows.set(place, { name, slice, value, startMs, dueMs: 0, counts: [0, 0, 0, 0], values, numbers, states });
    places.set(name, place);
    closes.add(startMs + everyMs + keptMs + 1, place);
    return place;
  };
  /** The place of a value, or that of the others where there are too many. */
  const placeIn = (all: SliceWindow, i: number, value: string): Place => {
    const { startMs, values } = all;
    const slice = slices[i] as string;
    const name = nameOf(startMs, i + 1, value);
    const found = places.get(name);
    if (found !== undefined) return found;
    if ((values[i] as number) < slicesMax) {
      values[i] = (values[i] as number) + 1;
      return open(name, slice, value, startMs);
    }
    const other = nameOf(startMs, i + 1, OTHER);
    return places.get(other) ?? open(other, slice, OTHER, startMs);
  };
  const bump = ({ counts }: SliceWindow, counter: number, by: number): void => {
    counts[counter] = (counts[counter] as number) + by;
  };
  const keep = (place: Place, window: SliceWindow, nowMs: number): void => {
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
      const name = nameOf(startMs, 0, '');
      const known = places.get(name);
      if (known === undefined && opened.get()[0] >= windowsMax) return undefined;
      const whole = known ?? open(name, 'all', '', startMs);
      const all = windows.get(whole) as SliceWindow;
      const found = [whole];
      for (let i = 0; i < slices.length; i++) found.push(placeIn(all, i, values[i] as string));
      windows.set(whole, all);
      return found;
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
        places.delete(window.name);
        const [open, next] = opened.get();
        if (window.slice === 'all') opened.set([open - 1, next]);
      });
    },
  };
}
