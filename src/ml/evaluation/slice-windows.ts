import type { Accumulator } from '../../aggregates/accumulator.js';
import {
  rescale,
  type SlotCell,
  slotCell,
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
  /** The slice by its number; 0 is that of all rows. */
  readonly slice: number;
  readonly value: string;
  readonly version: string;
  readonly startMs: number;
  dueMs: number;
  /** Predictions, labels, assumed labels, corrections. */
  readonly counts: number[];
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
const WINDOW_VERSION = 3;

/** The cells of windows by slice, for accumulators of a layout. */
export const sliceCells = (plan: SlicePlan, layout: Accumulator<never>['layout']) => ({
  // Sums of other metrics, slices or windows must not meet these.
  windows: rescale.whileEmpty(
    slotCell<SliceWindow>({ version: layoutVersion([WINDOW_VERSION, layout, plan.slices, plan.everyMs]) }),
  ),
  next: rescale.merged(valueCell<Place>({ initial: 0 }), rescale.highest),
  rows: rescale.whileEmpty(timerCell<Place>({ timersMax: placesMax(plan) })),
  closes: rescale.whileEmpty(timerCell<Place>({ timersMax: placesMax(plan) })),
});

interface SliceCells {
  readonly windows: SlotCell<SliceWindow>;
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
  /** Measures a prediction with its label at its places, in place of what was known of it. */
  judge(places: readonly Place[], nowMs: number, judgement: JudgementOf<In>): void;
  /** Tells the rows that are due up to a time, in the order of time. */
  tell(nowMs: number, tell: Tell): void;
  /** When a row is due or a window ends next. */
  readonly nextMs: number;
  /** Tells what is due up to a time that is not above `nextMs`, and forgets the windows that have ended. */
  end(nowMs: number, tell: Tell): void;
}

/** The places of a version in a window, by slice and value. */
interface VersionPlaces {
  readonly version: string;
  readonly places: readonly Map<string, Place>[];
  /** Places of predictions by all their values together: thousands that wait have the same. */
  readonly shared: Map<number, readonly Place[]>;
}

/** Places of up to so many slices are shared, among so many places after that of all rows, so many times: their key is one number. */
const SHARED_SLICES = 3;
const SHARED_PLACES = 2 ** 17;
const SHARED_MAX = 10_000;

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
  { windows, next, rows, closes }: SliceCells,
  accumulator: Accumulator<In>,
  { everyMs, keptMs, slices, slicesMax, versionsMax, hasSums, windowsMax }: SlicePlan,
): SliceWindows<In> {
  // Of the row in hand.
  const found: Place[] = [];
  const numbersOfAll: Float64Array[] = [];
  const statesOfAll: unknown[][] = [];
  // By the beginning of a window, by version, by slice and value: follows from the windows, so that no cell has it.
  const starts = new Map<number, VersionPlaces[]>();
  const versionPlaces = (startMs: number, version: string): VersionPlaces => {
    const known = starts.get(startMs) ?? [];
    if (known.length === 0) starts.set(startMs, known);
    const own = { version, places: ['all', ...slices].map(() => new Map<string, Place>()), shared: new Map() };
    known.push(own);
    return own;
  };
  for (const [place, { startMs, version, slice, value }] of windows.entries()) {
    const known = starts.get(startMs)?.find((each) => each.version === version);
    (known ?? versionPlaces(startMs, version)).places[slice]?.set(value, place);
  }
  const open = ({ version, places }: VersionPlaces, slice: number, value: string, startMs: number): Place => {
    const place = next.get();
    next.set(place + 1);
    const numbers = new Float64Array(accumulator.numbers);
    const states: unknown[] = [];
    accumulator.init(numbers, 0, states, 0);
    windows.set(place, { slice, value, version, startMs, dueMs: 0, counts: [0, 0, 0, 0], numbers, states });
    places[slice]?.set(value, place);
    closes.add(startMs + everyMs + keptMs + 1, place);
    return place;
  };
  /** The place of a value, or that of the others where there are too many. */
  const placeIn = (own: VersionPlaces, slice: number, value: string, startMs: number): Place => {
    const places = own.places[slice] as Map<string, Place>;
    const found = places.get(value);
    if (found !== undefined) return found;
    if (places.size < slicesMax) return open(own, slice, value, startMs);
    return places.get(OTHER) ?? open(own, slice, OTHER, startMs);
  };
  const bump = ({ counts }: SliceWindow, counter: number, by: number): void => {
    counts[counter] = (counts[counter] as number) + by;
  };
  const keep = (place: Place, window: SliceWindow, nowMs: number): void => {
    if (window.dueMs === 0) {
      window.dueMs = (Math.floor(nowMs / everyMs) + 1) * everyMs;
      rows.add(window.dueMs, place);
    }
    windows.touch(place);
  };
  /** A version in its window, or the others where there are too many; undefined if there are too many windows. */
  const versionIn = (startMs: number, version: string): VersionPlaces | undefined => {
    const known = starts.get(startMs);
    if (known === undefined) return starts.size >= windowsMax ? undefined : versionPlaces(startMs, version);
    for (const each of known) if (each.version === version) return each;
    const own = known.length < versionsMax ? version : OTHER;
    return known.find((each) => each.version === own) ?? versionPlaces(startMs, own);
  };
  const tellOf = (window: SliceWindow, atMs: number, tell: Tell): void => {
    const { value, version, startMs, counts, numbers, states } = window;
    const slice = window.slice === 0 ? 'all' : (slices[window.slice - 1] as string);
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
      windows.touch(place);
      tellOf(window, timeMs, tell);
    });
  return {
    placesOf(timeMs, version, values) {
      const startMs = Math.floor(timeMs / everyMs) * everyMs;
      const own = versionIn(startMs, version);
      if (own === undefined) return undefined;
      const whole = own.places[0]?.get('') ?? open(own, 0, '', startMs);
      found[0] = whole;
      let key = 0;
      for (let i = 0; i < slices.length; i++) {
        const place = placeIn(own, i + 1, values[i] as string, startMs);
        found[i + 1] = place;
        key = key * SHARED_PLACES + (place - whole);
      }
      const isShared = slices.length <= SHARED_SLICES && next.get() - whole < SHARED_PLACES;
      const known = isShared ? own.shared.get(key) : undefined;
      if (known !== undefined) return known;
      const places = found.slice();
      if (isShared && own.shared.size < SHARED_MAX) own.shared.set(key, places);
      return places;
    },

    predict(place, nowMs) {
      const window = windows.get(place) as SliceWindow;
      bump(window, PREDICTED, 1);
      keep(place, window, nowMs);
    },

    judge(places, nowMs, { before, after, isAssumed, wasAssumed }) {
      for (let i = 0; i < places.length; i++) {
        const place = places[i] as Place;
        const window = windows.get(place) as SliceWindow;
        const { numbers, states } = window;
        numbersOfAll[i] = numbers;
        statesOfAll[i] = states;
        if (before === null) bump(window, LABELLED, 1);
        else {
          accumulator.retract(numbers, 0, states, 0, before, 0);
          if (!wasAssumed) bump(window, CORRECTED, 1);
        }
        if (isAssumed !== wasAssumed) bump(window, ASSUMED, isAssumed ? 1 : -1);
        keep(place, window, nowMs);
      }
      accumulator.addEach(numbersOfAll, statesOfAll, places.length, after, 0);
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
        starts.delete(window.startMs);
      });
    },
  };
}
