import { type Duration, formatDuration, type Operator, type Problem, stateful } from '../../core/index.js';
import { type ComparedFeature, compareSlices, overAll } from '../../ml/distributions/compare-slices.js';
import type { DistanceName } from '../../ml/distributions/distances.js';
import { GROUPS } from '../../ml/distributions/distribution.js';
import type { DistributionFeature, RowDistributions } from '../../ml/distributions/index.js';
import {
  addToSlice,
  emptySlice,
  type Features,
  mergeSlice,
  type SliceDistributions,
  type Slices,
  sliceKey,
  slicesOf,
} from '../../ml/distributions/slice-distributions.js';
import { layoutVersion } from '../../ml/features/plan.js';
import { mapCell, timerCell, valueCell } from '../../state/index.js';
import { optionProblems, requireOptions } from '../options.js';

/** What is compared with what. */
export interface CompareDistributionsOptions<T> {
  /** Numbers and categories of a row by name: features, predictions, confidences. */
  readonly features: Features<T>;
  /** The size of a window, which is compared with the reference. */
  readonly every: Duration;
  /**
   * `first`: so much of the beginning of the stream. `last`: so much before the window, multiples of `every`. `rows`: other rows, such as
   * a feature export, by `distributionsOf`.
   */
  readonly reference: { readonly first: Duration } | { readonly last: Duration } | { readonly rows: RowDistributions };
  /** Groups of rows that are compared by themselves. */
  readonly slices?: Slices<T>;
  /** Values of a slice in a window (default: 20); the others count as `other`. */
  readonly slicesMax?: number;
  /** The distance that decides about numbers (default: `kolmogorovSmirnov`), and about categories (default: `jensenShannon`). */
  readonly by?: { readonly numbers?: DistanceName; readonly categories?: DistanceName };
  /** Rows of window and reference below which nothing is decided (default: 100). */
  readonly rowsMin?: number;
}

/** A feature of a window beside its reference. */
export interface DistributionRow extends ComparedFeature {
  readonly slice: string;
  readonly value: string;
  readonly task: number;
  readonly startMs: number;
  readonly endMs: number;
  readonly rows: number;
  readonly referenceRows: number;
}

/**
 * The columns of a ClickHouse table of compared distributions.
 *
 * @example clickhouse.tableSink({ table: 'drift', columns: distributionColumns, orderBy: ['feature', 'startMs'] });
 */
export const distributionColumns = Object.freeze({
  feature: 'LowCardinality(String)',
  slice: 'LowCardinality(String)',
  value: 'String',
  task: 'UInt32',
  startMs: 'Int64',
  endMs: 'Int64',
  rows: 'UInt64',
  referenceRows: 'UInt64',
  importance: 'Float64',
  by: 'LowCardinality(String)',
  distance: 'Nullable(Float64)',
  threshold: 'Nullable(Float64)',
  drifted: 'Bool',
  psi: 'Nullable(Float64)',
  chiSquared: 'Nullable(Float64)',
  jensenShannon: 'Nullable(Float64)',
  kolmogorovSmirnov: 'Nullable(Float64)',
  wasserstein: 'Nullable(Float64)',
  referenceMissing: 'Float64',
  missing: 'Float64',
  added: 'Nullable(Float64)',
  gone: 'Nullable(Float64)',
}) satisfies Readonly<Record<keyof DistributionRow, string>>;

/** Windows that may be open beyond those of the reference. */
const OPEN_MAX = 100;

/**
 * Compares how features, predictions or confidences are distributed in each window with a reference: an earlier period, the time just before,
 * or a feature export. Needs no labels, so it tells of a change before they come. Records are not passed on.
 *
 *   in   --a--b--|--c--d--|--x--y--|     windows |
 *   out  -----------------C--------X     of each window a row a feature, and one of all
 *
 * A feature has drifted if the distance that decides is above a threshold. That is what chance exceeds once in 1,000 times: the rows of window
 * and reference together are split at random. A drift of all is a mean by importance: features that the model does not use count little.
 *
 * Guarantees: rows of a window come when the watermark has passed its end, and depend on the records up to it alone. All state is in the
 * checkpoint, so a replay gives the same rows. Several tasks compare their own partitions.
 * Counters: `compared` (rows without those of all), `drifted`, `few` (a window or a reference with fewer rows than `rowsMin`).
 * Measures: `distance:FEATURE`, the distance that decides, and `distance:all`; of slices too, with enough rows.
 * Dead letters: `late` (of a window that was compared already), `too-many-windows` (far ahead of the watermark).
 * Errors: numbers are known to 1 %, near 0 and far from it less: see below. Windows of another hour or weekday than the reference differ, and
 * that is found too: take windows and a reference of whole days or weeks.
 * A feature with more than 1,000 categories is compared by 1,024 groups of them, which a hash of the name decides; `added` and `gone` then tell of
 * whole groups.
 * Memory: of each feature, slice and window at most 4,146 bins or 1,024 counts (usually some hundred, 12 bytes each). Windows are kept
 * until they end, with `last` for so long. Numbers below 1e-6 count as 0, above 1e12 as that.
 * Cost: a threshold takes some 10 ms a feature, slice and window.
 *
 * @example
 * scored
 *   .via('inputs', compareDistributions({
 *     features: {
 *       distance: { number: (f) => f.distance, importance: 0.2 },
 *       origin: { category: (f) => f.origin },
 *       said: { number: (f) => f.late.probability, importance: 2 },
 *     },
 *     every: days(7),
 *     reference: { first: days(28) },
 *   }))
 *   .to('drift', clickhouse.tableSink({ table: 'drift', columns: distributionColumns, orderBy: ['feature', 'startMs'] }));
 */
export function compareDistributions<T>(options: CompareDistributionsOptions<T>): Operator<T, DistributionRow> {
  requireOptions('compareDistributions', options);
  const { every, reference, slicesMax = 20, by = {}, rowsMin = 100 } = options;
  const names = Object.keys(options.features);
  const features: readonly DistributionFeature<T>[] = Object.values(options.features);
  const slices = Object.entries(options.slices ?? {});
  const problems = [...optionProblems('compareDistributions', options), ...problemsOf(options, slicesMax, rowsMin)];
  const lastMs = 'last' in reference ? reference.last : 0;
  const windowsMax = problems.length === 0 ? Math.ceil(lastMs / every) + OPEN_MAX : 1;
  const version = layoutVersion([
    names,
    features.map(({ number }) => number !== undefined),
    slices.map(([name]) => name),
    every,
    GROUPS,
  ]);
  const cells = {
    /** By window and slice; with `first` also that of the reference. */
    windows: mapCell<string, SliceDistributions>({ version }),
    /** The slices of a window, in the order in which they came. */
    keys: mapCell<number, (readonly [slice: string, value: string])[]>(),
    closes: timerCell<number>({ timersMax: windowsMax }),
    drops: timerCell<number>({ timersMax: windowsMax }),
    /** When the first window began. */
    begun: valueCell<number | null>({ initial: null }),
  };
  return stateful<T, DistributionRow, typeof cells>({
    kind: 'compareDistributions',
    settings: {
      features: names.join(', '),
      every: formatDuration(every),
      reference:
        'first' in reference
          ? `the first ${formatDuration(reference.first)}`
          : 'last' in reference
            ? `the last ${formatDuration(reference.last)}`
            : 'other rows',
      slices: slices.map(([name]) => name).join(', '),
      slicesMax,
      rowsMin,
    },
    problems,
    cells,
    open({ windows, keys, closes, drops, begun }, context) {
      const count = {
        compared: context.counter('compared'),
        drifted: context.counter('drifted'),
        few: context.counter('few'),
      };
      const REFERENCE = -1;
      const keyIn = (startMs: number, slice: string, value: string): string => `${startMs}|${sliceKey(slice, value)}`;
      const open = (startMs: number, slice: string, value: string): SliceDistributions => {
        const of = keys.get(startMs) ?? [];
        of.push([slice, value]);
        keys.set(startMs, of);
        return emptySlice(slice, value, options.features as Features<never>);
      };

      const add = (startMs: number, row: T): void => {
        const of = keys.get(startMs) ?? [];
        const places = slicesOf(
          row,
          slices,
          slicesMax,
          (key) => windows.has(`${startMs}|${key}`),
          (name) => of.reduce((sum, [slice]) => sum + Number(slice === name), 0),
        );
        for (const [slice, value] of places) {
          const key = keyIn(startMs, slice, value);
          const to = windows.get(key) ?? open(startMs, slice, value);
          addToSlice(to, features, row);
          windows.set(key, to);
        }
      };

      /** Adds the rows of a window to another one, or to the reference. */
      const mergeInto = (to: number, from: number): void => {
        for (const [slice, value] of keys.get(from) ?? []) {
          const key = keyIn(to, slice, value);
          const merged = windows.get(key) ?? open(to, slice, value);
          mergeSlice(merged, windows.get(keyIn(from, slice, value)) as SliceDistributions);
          windows.set(key, merged);
        }
      };
      const drop = (startMs: number): void => {
        for (const [slice, value] of keys.get(startMs) ?? []) windows.delete(keyIn(startMs, slice, value));
        keys.delete(startMs);
      };

      const referenceOf = (startMs: number, slice: string, value: string): SliceDistributions | undefined => {
        if ('rows' in reference) return reference.rows.slices.get(sliceKey(slice, value));
        if ('first' in reference) return windows.get(keyIn(REFERENCE, slice, value));
        const merged = emptySlice(slice, value, options.features as Features<never>);
        for (let at = startMs - lastMs; at < startMs; at += every) {
          const part = windows.get(keyIn(at, slice, value));
          if (part) mergeSlice(merged, part);
        }
        return merged;
      };

      const rowsOf = (startMs: number, slice: string, value: string): DistributionRow[] => {
        const now = windows.get(keyIn(startMs, slice, value)) as SliceDistributions;
        const before =
          referenceOf(startMs, slice, value) ?? emptySlice(slice, value, options.features as Features<never>);
        const [rows, referenceRows] = [now.features[0]?.rows ?? 0, before.features[0]?.rows ?? 0];
        const endMs = startMs + every;
        const head = { slice, value, task: context.task, startMs, endMs, rows, referenceRows };
        const isEnough = rows >= rowsMin && referenceRows >= rowsMin;
        const compared = compareSlices(options.features as Features<never>, by, before, now, isEnough);
        count.compared.add(compared.length);
        count.drifted.add(compared.filter(({ drifted }) => drifted).length);
        if (!isEnough) count.few.add();
        const of = { slice: slice === 'all' ? '' : `${slice}=${value}`, weight: rows };
        return [...compared, overAll(compared)].map(({ feature, ...found }) => {
          if (found.threshold !== null) context.measure(`distance:${feature}`, found.distance as number, endMs, of);
          return { feature, ...head, ...found };
        });
      };

      const close = (startMs: number, emit: (row: DistributionRow, timeMs: number) => void): void => {
        const isReference = 'first' in reference && startMs < (begun.get() as number) + reference.first;
        if (isReference) mergeInto(REFERENCE, startMs);
        else
          for (const [slice, value] of keys.get(startMs) ?? [])
            for (const row of rowsOf(startMs, slice, value)) emit(row, startMs + every);
        if (lastMs === 0) drop(startMs);
        else drops.add(startMs + every + lastMs, startMs);
      };

      return {
        onRecord(_input, row: T, _emit, { eventTimeMs }) {
          const startMs = Math.floor(eventTimeMs / every) * every;
          if (startMs + every <= context.watermarkMs)
            return context.deadLetter('late', `${context.watermarkMs - eventTimeMs} ms behind the watermark`);
          if (!closes.has(startMs + every, startMs)) {
            if (closes.size + drops.size >= windowsMax)
              return context.deadLetter('too-many-windows', `${windowsMax} windows are kept already`);
            closes.add(startMs + every, startMs);
            if (begun.get() === null) begun.set(startMs);
          }
          add(startMs, row);
        },
        onWatermark(watermarkMs, emit) {
          for (;;) {
            const nextMs = Math.min(closes.nextMs, drops.nextMs);
            if (nextMs > watermarkMs) return;
            closes.takeDue(nextMs, (startMs) => close(startMs, emit as never));
            drops.takeDue(nextMs, (startMs) => drop(startMs));
          }
        },
      };
    },
  });
}

function problemsOf<T>(
  { features, every, reference, slices = {}, by = {} }: CompareDistributionsOptions<T>,
  slicesMax: number,
  rowsMin: number,
): Problem[] {
  const problems: Problem[] = [];
  const span = 'first' in reference ? reference.first : 'last' in reference ? reference.last : every;
  for (const [name, value] of Object.entries({ every, reference: span }))
    if (!(value > 0)) problems.push({ message: `${name} is ${value}`, hint: 'give it a duration, such as days(7)' });
  if ('last' in reference && span % every !== 0)
    problems.push({ message: 'reference.last is no multiple of every', hint: 'give whole windows, such as days(28)' });
  for (const [name, value] of Object.entries({ slicesMax, rowsMin }))
    if (!(Number.isInteger(value) && value >= 1))
      problems.push({ message: `${name} is ${value}`, hint: 'give it a whole number above 0' });
  if (Object.keys(features).length === 0)
    problems.push({
      message: 'there are no features',
      hint: 'give one or more: { distance: { number: (row) => ... } }',
    });
  if ('all' in features) problems.push({ message: "a feature 'all'", hint: 'that is the row of all features' });
  if ('all' in slices) problems.push({ message: "a slice 'all'", hint: 'that is the slice of all rows' });
  for (const [name, { importance = 1 }] of Object.entries(features))
    if (!(importance >= 0 && importance < Number.POSITIVE_INFINITY))
      problems.push({ message: `the importance of ${name} is ${importance}`, hint: 'give it a number from 0' });
  if (by.categories === 'kolmogorovSmirnov' || by.categories === 'wasserstein')
    problems.push({
      message: `by.categories is ${by.categories}`,
      hint: 'that needs numbers; take jensenShannon, psi or chiSquared',
    });
  return problems;
}
