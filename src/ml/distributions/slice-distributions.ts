import {
  addRow,
  type Distribution,
  type DistributionFeature,
  emptyDistribution,
  mergeDistribution,
} from './distribution.js';

/** Features by name. */
export type Features<T> = Readonly<Record<string, DistributionFeature<T>>>;

/** Groups of rows that are looked at by themselves, by name. */
export type Slices<T> = Readonly<Record<string, (row: T) => string | number | boolean | null | undefined>>;

/** The features of the rows of a slice. Plain data. */
export interface SliceDistributions {
  /** `all`, or the name of a slice. */
  readonly slice: string;
  readonly value: string;
  /** In the order of the features. */
  readonly features: Distribution[];
}

/** What rows of a period are, by slice. */
export interface RowDistributions {
  /** By the key of a slice; the first is of all rows. */
  readonly slices: ReadonlyMap<string, SliceDistributions>;
}

/** The value of rows beyond the limit of a slice. */
const OTHER = 'other';

/** A value of that very name. */
const NAMED_OTHER = "'other'";

export const ALL_ROWS = 'all|';
export const sliceKey = (slice: string, value: string): string => `${slice}|${value}`;

export const emptySlice = (slice: string, value: string, features: Features<never>): SliceDistributions => ({
  slice,
  value,
  features: Object.values(features).map(emptyDistribution),
});

/** Adds a row to a slice. */
export function addToSlice<T>(to: SliceDistributions, features: readonly DistributionFeature<T>[], row: T): void {
  for (let i = 0; i < features.length; i++)
    addRow(to.features[i] as Distribution, features[i] as DistributionFeature<T>, row);
}

/** Adds the rows of another period of the same slice. */
export function mergeSlice(to: SliceDistributions, from: SliceDistributions): void {
  to.features.forEach((distribution, i) => {
    mergeDistribution(distribution, from.features[i] as Distribution);
  });
}

/**
 * Sees to which slices a row belongs: that of all rows, then one of each name. `isKnown` says whether a slice exists; of one name there
 * are `slicesMax` at most, and the rows beyond count as `other`; a value of
 * that name is `'other'`, in quotes.
 */
export function slicesOf<T>(
  row: T,
  slices: readonly (readonly [name: string, of: Slices<T>[string]])[],
  slicesMax: number,
  isKnown: (key: string) => boolean,
  countOf: (slice: string) => number,
): (readonly [slice: string, value: string])[] {
  return [
    ['all', ''] as const,
    ...slices.map(([name, of]) => {
      const text = String(of(row));
      const value = text === OTHER ? NAMED_OTHER : text;
      const fits = isKnown(sliceKey(name, value)) || countOf(name) < slicesMax;
      return [name, fits ? value : OTHER] as const;
    }),
  ];
}

/**
 * How the features of rows are distributed, by slice: a reference for `compareDistributions`, from a feature export, a file or a table.
 *
 * @example
 * const reference = distributionsOf(januaryRows, { features, slices: { origin: (row) => row.origin } });
 *
 * Memory: at most 4,146 bins or 1,024 counts of categories a feature and slice.
 */
export function distributionsOf<T>(
  rows: Iterable<T>,
  options: { readonly features: Features<T>; readonly slices?: Slices<T>; readonly slicesMax?: number },
): RowDistributions {
  const { features, slices = {}, slicesMax = 100 } = options;
  const found = new Map<string, SliceDistributions>();
  const counts = new Map<string, number>();
  const all = Object.values(features);
  const named = Object.entries(slices);
  for (const row of rows)
    for (const [slice, value] of slicesOf(
      row,
      named,
      slicesMax,
      (key) => found.has(key),
      (name) => counts.get(name) ?? 0,
    )) {
      const key = sliceKey(slice, value);
      let to = found.get(key);
      if (to === undefined) {
        to = emptySlice(slice, value, features as Features<never>);
        found.set(key, to);
        counts.set(slice, (counts.get(slice) ?? 0) + 1);
      }
      addToSlice(to, all, row);
    }
  return { slices: found };
}
