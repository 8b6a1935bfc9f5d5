import { type Accumulator, type Aggregates, accumulatorOf } from '../../aggregates/accumulator.js';
import type { Origin } from '../../core/index.js';
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
import {
  countsOf,
  DUE,
  heldRows,
  type JudgementOf,
  METRICS,
  type Place,
  type SliceWindow,
  type Target,
  targetOf,
} from './slice-window.js';

/**
 * What a prediction counts in: the place of all rows of its window and version, then the numbers of its values, several slices to a number. It is
 * kept with each prediction that waits, so it is short.
 */
export type Group = readonly number[];

/** What a slice and window has, beside its metrics. */
export interface SliceCounts {
  /** Which slice: `all`, or a name of the slices. */
  readonly slice: string;
  /** Which rows of it; `other` for what is beyond its limit (a value of that name is `'other'`, in quotes), and empty for all. */
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
const WINDOW_VERSION = 5;

/** Combines metrics for windows by slice: each has all its numbers in one array, so that a label touches little memory. */
export const sliceAccumulator = <In>(metrics: Aggregates<In>): Accumulator<In> =>
  accumulatorOf(metrics, { sharedMax: Number.POSITIVE_INFINITY });

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
  /**
   * Counts a prediction of this time, given its version and its value of each slice, and says in what: valid until the next call. That is open as
   * long as its predictions are kept. Undefined if there are too many windows. A row is due at the end of the interval of `nowMs`.
   */
  predict(timeMs: number, version: string, values: readonly SliceValue[], nowMs: number): Group | undefined;
  /** Measures a prediction with its label in what it counts in, in place of what was known of it; `origin` is the label's. */
  judge(group: Group, nowMs: number, judgement: JudgementOf<In>, origin?: Origin): void;
  /** Counts what was predicted and judged and is only noted yet. Call it before changes of the cells are taken. */
  settle(): void;
  /** Tells the rows that are due up to a time, in the order of time. */
  tell(nowMs: number, tell: Tell): void;
  /** When a row is due or a window ends next. */
  nextMs(): number;
  /** Tells what is due up to a time that is not above `nextMs`, and forgets the windows that have ended. */
  end(nowMs: number, tell: Tell): void;
}

/** What a row has of a slice: it counts by its text. */
export type SliceValue = string | number | boolean | null | undefined;

/** The values of a slice, in the order in which they came. */
interface SliceValues {
  /** By text; that of a number also by the number, so that its text is made once and not for each row. */
  readonly numbers: Map<SliceValue, number>;
  readonly targets: Target[];
}

/** What a version has in a window, by slice and value. */
interface VersionTargets {
  readonly startMs: number;
  readonly version: string;
  readonly whole: Target;
  /** In the order of the slices, without that of all rows. */
  readonly slices: readonly SliceValues[];
}

/** Numbers below it are kept in a few bytes, in memory and in a checkpoint. */
const SMALL = 2 ** 31;

/** What values beyond the limit of a slice, and versions beyond theirs, count as. */
const OTHER = 'other';

/** What a value of that very name counts as. */
const NAMED_OTHER = "'other'";

export const NO_SUMS: Sums = Object.freeze({});

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
  step: string,
): SliceWindows<In> {
  // Of the row in hand.
  const group: number[] = [];
  const targets: Target[] = [];
  const held = heldRows({ windows, rows, accumulator, everyMs, across: 1 + slices.length, step });
  // By the beginning of a window, by version, by slice and value: follows from the windows, so that no cell has it.
  const starts = new Map<number, VersionTargets[]>();
  const byWhole = new Map<Place, VersionTargets>();
  let latest: VersionTargets | undefined;
  // The numbers of so many slices are one: digits to the base of how many values a slice may have.
  const base = slicesMax + 1;
  const digits = Math.max(1, Math.floor(Math.log(SMALL) / Math.log(base)));
  const enter = ({ numbers, targets }: SliceValues, value: string, place: Place): number => {
    numbers.set(value, targets.length);
    return targets.push(targetOf(place)) - 1;
  };
  const enterVersion = (startMs: number, version: string, place: Place): VersionTargets => {
    const whole = targetOf(place);
    const own = { startMs, version, whole, slices: slices.map(() => ({ numbers: new Map(), targets: [] })) };
    const known = starts.get(startMs);
    if (known) known.push(own);
    else starts.set(startMs, [own]);
    byWhole.set(place, own);
    return own;
  };
  for (const [place, { startMs, version, slice, value }] of windows.entries()) {
    if (slice === 0) enterVersion(startMs, version, place);
    else {
      const own = starts.get(startMs)?.find((each) => each.version === version);
      enter(own?.slices[slice - 1] as SliceValues, value, place);
    }
  }
  const open = (startMs: number, version: string, slice: number, value: string): Place => {
    const place = next.get();
    next.set(place + 1);
    const numbers = new Float64Array(METRICS + accumulator.numbers);
    const states: unknown[] = [];
    accumulator.init(numbers, METRICS, states, 0);
    windows.set(place, { slice, value, version, startMs, numbers, states });
    closes.add(startMs + everyMs + keptMs + 1, place);
    return place;
  };
  /** The number of a text, or that of the others where there are too many. */
  const numberOfText = ({ startMs, version, slices }: VersionTargets, slice: number, text: string): number => {
    const own = slices[slice] as SliceValues;
    const known = own.numbers.get(text);
    if (known !== undefined) return known;
    if (own.targets.length < slicesMax) return enter(own, text, open(startMs, version, slice + 1, text));
    return own.numbers.get(OTHER) ?? enter(own, OTHER, open(startMs, version, slice + 1, OTHER));
  };
  const numberOf = (of: VersionTargets, slice: number, given: SliceValue): number => {
    const value = given === OTHER ? NAMED_OTHER : given;
    const { numbers } = of.slices[slice] as SliceValues;
    const known = numbers.get(value);
    if (known !== undefined) return known;
    const text = String(value);
    const number = numberOfText(of, slice, text);
    if (typeof value === 'number' && numbers.has(text)) numbers.set(value, number);
    return number;
  };
  /** A version in its window, or the others where there are too many; undefined if there are too many windows. */
  const versionIn = (startMs: number, version: string): VersionTargets | undefined => {
    const known = starts.get(startMs) ?? [];
    if (known.length === 0 && starts.size >= windowsMax) return undefined;
    const own = known.length < versionsMax ? version : OTHER;
    return (
      known.find((each) => each.version === version) ??
      known.find((each) => each.version === own) ??
      enterVersion(startMs, own, open(startMs, own, 0, ''))
    );
  };
  /** Fills in the targets of a group. */
  const find = (group: Group): void => {
    const whole = group[0] as Place;
    if (latest?.whole.place !== whole) latest = byWhole.get(whole) as VersionTargets;
    targets[0] = latest.whole;
    for (let i = 0, rest = 0; i < slices.length; i++) {
      if (i % digits === 0) rest = group[1 + i / digits] as number;
      const above = Math.floor(rest / base);
      targets[i + 1] = latest.slices[i]?.targets[rest - above * base] as Target;
      rest = above;
    }
  };
  const tellOf = (window: SliceWindow, atMs: number, tell: Tell): void => {
    const { value, version, startMs, numbers, states } = window;
    const slice = window.slice === 0 ? 'all' : (slices[window.slice - 1] as string);
    const metrics: Record<string, unknown> = {};
    accumulator.results(metrics, numbers, METRICS, states, 0);
    const sums = hasSums ? accumulator.sums(numbers, METRICS, states, 0) : NO_SUMS;
    const endMs = startMs + everyMs;
    tell({ slice, value, version, startMs, endMs, atMs, ...countsOf(numbers) }, metrics, sums);
  };
  const tellDue = (nowMs: number, tell: Tell): void => {
    if (Math.min(held.dueMs(), rows.nextMs) > nowMs) return;
    held.settle();
    rows.takeDue(nowMs, (place, timeMs) => {
      const window = windows.change(place) as SliceWindow;
      window.numbers[DUE] = 0;
      tellOf(window, timeMs, tell);
    });
  };
  return {
    predict(timeMs, version, values, nowMs) {
      const isLatest = latest?.version === version && timeMs >= latest.startMs && timeMs < latest.startMs + everyMs;
      if (!isLatest) latest = versionIn(Math.floor(timeMs / everyMs) * everyMs, version);
      if (latest === undefined) return undefined;
      group[0] = latest.whole.place;
      targets[0] = latest.whole;
      for (let i = 0, at = 0, unit = 1; i < slices.length; i++, unit *= base) {
        if (i % digits === 0) {
          unit = 1;
          group[++at] = 0;
        }
        const number = numberOf(latest, i, values[i]);
        group[at] = (group[at] as number) + unit * number;
        targets[i + 1] = latest.slices[i]?.targets[number] as Target;
      }
      held.predict(targets, nowMs);
      return group;
    },

    judge(group, nowMs, judgement, origin) {
      find(group);
      held.judge(targets, nowMs, judgement, origin);
    },

    settle: held.settle,

    nextMs: () => Math.min(held.dueMs(), rows.nextMs, closes.nextMs),

    tell: tellDue,

    end(nowMs, tell) {
      tellDue(nowMs, tell);
      if (closes.nextMs > nowMs) return;
      held.settle();
      closes.takeDue(nowMs, (place, timeMs) => {
        const window = windows.get(place) as SliceWindow;
        const dueMs = window.numbers[DUE] as number;
        if (dueMs !== 0) {
          rows.delete(dueMs, place);
          tellOf(window, timeMs, tell);
        }
        windows.delete(place);
        starts.delete(window.startMs);
        byWhole.delete(place);
        latest = undefined;
      });
      held.forget();
    },
  };
}
