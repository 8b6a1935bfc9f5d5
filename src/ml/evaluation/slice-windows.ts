import type { Accumulator } from '../../aggregates/accumulator.js';
import {
  type MapCell,
  mapCell,
  rescale,
  type TimerCell,
  timerCell,
  type ValueCell,
  valueCell,
} from '../../state/index.js';
import { layoutVersion } from '../features/plan.js';

/** Where a prediction counts: the number of a window, model version and slice. */
export type Place = number;

/** Of a window, version and slice: what it is of, when its next row is due (0: nothing is new), its counts, and the state of its metrics. */
interface SliceWindow {
  readonly name: string;
  readonly slice: string;
  readonly value: string;
  readonly version: string;
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
  /** The version of the model that predicted; `other` for what is beyond their limit, and empty where versions are not told apart. */
  readonly version: string;
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
  /** Values of a slice, window and version; the others count as one. */
  readonly slicesMax: number;
  /** Versions in a window; the others count as one. */
  readonly versionsMax: number;
  /** Whether a row has the sums behind its metrics. */
  readonly hasSums: boolean;
  /** Windows of event time, of all slices together. */
  readonly windowsMax: number;
}

/** Places there may be: in each window and version one of all rows, and of each slice its values and one for the others. */
const placesMax = ({ slices, slicesMax, versionsMax, windowsMax }: SlicePlan): number =>
  windowsMax * (versionsMax + 1) * (1 + slices.length * (slicesMax + 1));

/** Of how a window lies in the state. */
const WINDOW_VERSION = 2;

/** The cells of windows by slice, for accumulators of a layout. */
export const sliceCells = (plan: SlicePlan, layout: Accumulator<never>['layout']) => ({
  // Sums of other metrics, slices or windows must not meet these.
  windows: rescale.whileEmpty(
    mapCell<Place, SliceWindow>({ version: layoutVersion([WINDOW_VERSION, layout, plan.slices, plan.everyMs]) }),
  ),
  places: rescale.whileEmpty(mapCell<string, Place>({ version: WINDOW_VERSION })),
  /** The versions of each window of event time that is open. */
  opened: rescale.whileEmpty(mapCell<number, string[]>({ version: WINDOW_VERSION })),
  next: rescale.merged(valueCell<Place>({ initial: 0 }), rescale.highest),
  rows: rescale.whileEmpty(timerCell<Place>({ timersMax: placesMax(plan) })),
  closes: rescale.whileEmpty(timerCell<Place>({ timersMax: placesMax(plan) })),
});

interface SliceCells {
  readonly windows: MapCell<Place, SliceWindow>;
  readonly places: MapCell<string, Place>;
  readonly opened: MapCell<number, string[]>;
  readonly next: ValueCell<Place>;
  readonly rows: TimerCell<Place>;
  readonly closes: TimerCell<Place>;
}

/** Takes a row: its counts, its metrics, the sums behind them. */
type Tell = (counts: SliceCounts, metrics: Record<string, unknown>, sums: Sums) => void;

/** By metric: an accumulator that is merged by addition. */
export type Sums = Readonly<Record<string, readonly number[]>>;

/** Metrics by slice and window. */
export interface SliceWindows<in In> {
  /** Where a prediction at this time counts, given its version and its value of each slice; undefined if there are too many windows. */
  placesOf(timeMs: number, version: string, values: readonly string[]): readonly Place[] | undefined;
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

/** What values beyond the limit of a slice, and versions beyond theirs, count as. */
const OTHER = 'other';

const NO_SUMS: Sums = Object.freeze({});

/**
 * Opens windows by slice on their cells. A window has a row at the end of each interval in which it changed, and one when it ends if there
 * is news. Rows of the same time come in the order in which their windows were opened.
 *
 * Memory: the metrics' state and some 200 bytes for each value of a slice, window and version: in each of `windowsMax` windows and for each of
 * `versionsMax` + 1 versions `slicesMax` + 1 a slice.
 */
export function sliceWindows<In>(
  { windows, places, opened, next, rows, closes }: SliceCells,
  accumulator: Accumulator<In>,
  { everyMs, keptMs, slices, slicesMax, versionsMax, hasSums, windowsMax }: SlicePlan,
): SliceWindows<In> {
  const nameOf = (startMs: number, version: number, slice: number, value: string): string =>
    `${startMs}|${version}|${slice}|${value}`;
  const open = (name: string, slice: string, value: string, version: string, startMs: number): Place => {
    const place = next.get();
    next.set(place + 1);
    const numbers = new Float64Array(accumulator.numbers);
    const states: unknown[] = [];
    accumulator.init(numbers, 0, states, 0);
    const values = slice === 'all' ? slices.map(() => 0) : [];
    const counts = [0, 0, 0, 0];
    windows.set(place, { name, slice, value, version, startMs, dueMs: 0, counts, values, numbers, states });
    places.set(name, place);
    closes.add(startMs + everyMs + keptMs + 1, place);
    return place;
  };
  /** The place of a value, or that of the others where there are too many. */
  const placeIn = (all: SliceWindow, versionAt: number, i: number, value: string): Place => {
    const { startMs, values, version } = all;
    const slice = slices[i] as string;
    const name = nameOf(startMs, versionAt, i + 1, value);
    const found = places.get(name);
    if (found !== undefined) return found;
    if ((values[i] as number) < slicesMax) {
      values[i] = (values[i] as number) + 1;
      return open(name, slice, value, version, startMs);
    }
    const other = nameOf(startMs, versionAt, i + 1, OTHER);
    return places.get(other) ?? open(other, slice, OTHER, version, startMs);
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
  /** The place of a version among those of its window, or that of the others where there are too many; undefined if there are too many windows. */
  const versionIn = (startMs: number, version: string): number | undefined => {
    const known = opened.get(startMs);
    if (known === undefined && opened.size >= windowsMax) return undefined;
    const versions = known ?? [];
    const wanted = versions.includes(version) || versions.length < versionsMax ? version : OTHER;
    const at = versions.indexOf(wanted);
    if (at >= 0) return at;
    versions.push(wanted);
    opened.set(startMs, versions);
    return versions.length - 1;
  };
  const tellOf = (window: SliceWindow, atMs: number, tell: Tell): void => {
    const { slice, value, version, startMs, counts, numbers, states } = window;
    const metrics: Record<string, unknown> = {};
    accumulator.results(metrics, numbers, 0, states, 0);
    const [predicted = 0, labelled = 0, assumed = 0, corrected = 0] = counts;
    const sums = hasSums ? accumulator.sums(numbers, 0, states, 0) : NO_SUMS;
    const endMs = startMs + everyMs;
    tell({ slice, value, version, startMs, endMs, atMs, predicted, labelled, assumed, corrected }, metrics, sums);
  };
  const tellDue = (nowMs: number, tell: Tell): void =>
    rows.takeDue(nowMs, (place, timeMs) => {
      const window = windows.get(place) as SliceWindow;
      window.dueMs = 0;
      windows.set(place, window);
      tellOf(window, timeMs, tell);
    });
  return {
    placesOf(timeMs, version, values) {
      const startMs = Math.floor(timeMs / everyMs) * everyMs;
      const at = versionIn(startMs, version);
      if (at === undefined) return undefined;
      const name = nameOf(startMs, at, 0, '');
      const whole = places.get(name) ?? open(name, 'all', '', opened.get(startMs)?.[at] as string, startMs);
      const all = windows.get(whole) as SliceWindow;
      const found = [whole];
      for (let i = 0; i < slices.length; i++) found.push(placeIn(all, at, i, values[i] as string));
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
        opened.delete(window.startMs);
      });
    },
  };
}
