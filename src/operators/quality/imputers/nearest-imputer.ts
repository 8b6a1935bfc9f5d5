import { layoutVersion } from '../../../ml/features/plan.js';
import { type RingCell, ringCell } from '../../../state/index.js';
import { type ImputerSpec, isNumber } from './imputers.js';

export interface NearestOptions {
  /** The fields that tell how near two records are. */
  readonly of: readonly string[];
  readonly neighbors: number;
  readonly window: number;
  readonly scale: 'range' | 'none';
}

/** A record with the value, as numbers: `of` fields, NaN where missing, then the value. */
type Row = readonly number[];

/**
 * The mean of the values of the nearest records of a window. Distances are Euclidean over the fields that both records have, scaled
 * up for those that they have not, as in scikit-learn's `nan_euclidean_distances`; of equally near records the latest.
 */
export function nearest({ of, neighbors, window, scale }: NearestOptions): ImputerSpec {
  const placeOf = (record: unknown, into: number[]) => {
    for (let f = 0; f < of.length; f++) {
      const field = (record as Record<string, unknown>)[of[f] as string];
      into[f] = isNumber(field) ? field : Number.NaN;
    }
    return into;
  };
  return {
    cells: { '': ringCell<Row>({ length: window, version: layoutVersion(['nearest', of]) }) },
    open(cells) {
      const rows = cells[''] as RingCell<Row>;
      const place: number[] = new Array(of.length).fill(0);
      const ranges: number[] = new Array(of.length).fill(1);
      return {
        see(value, record) {
          if (isNumber(value)) rows.push([...placeOf(record, place), value]);
        },
        guess(record) {
          placeOf(record, place);
          if (scale === 'range') measure(rows, ranges);
          const near: { readonly distance: number; readonly value: number }[] = [];
          for (let i = rows.size - 1; i >= 0; i--) {
            const row = rows.at(i) as Row;
            const distance = distanceOf(place, row, ranges);
            if (distance === undefined) continue;
            const last = near.at(-1);
            if (near.length === neighbors && last && distance >= last.distance) continue;
            const at = near.findLastIndex((other) => other.distance <= distance) + 1;
            near.splice(at, 0, { distance, value: row[of.length] as number });
            if (near.length > neighbors) near.pop();
          }
          return near.length === 0 ? undefined : near.reduce((sum, { value }) => sum + value / near.length, 0);
        },
      };
    },
  };
}

/** The distance between the least and the greatest value of each field; 1 where they are equal. */
function measure(rows: RingCell<Row>, ranges: number[]): void {
  for (let f = 0; f < ranges.length; f++) {
    let least = Number.POSITIVE_INFINITY;
    let greatest = Number.NEGATIVE_INFINITY;
    for (let i = 0; i < rows.size; i++) {
      const field = (rows.at(i) as Row)[f] as number;
      if (field < least) least = field;
      if (field > greatest) greatest = field;
    }
    ranges[f] = greatest > least ? greatest - least : 1;
  }
}

/** The squared distance; `undefined` where the two have no field in common. */
function distanceOf(place: Row, row: Row, ranges: Row): number | undefined {
  let sum = 0;
  let common = 0;
  for (let f = 0; f < ranges.length; f++) {
    const apart = ((place[f] as number) - (row[f] as number)) / (ranges[f] as number);
    if (Number.isNaN(apart)) continue;
    sum += apart * apart;
    common++;
  }
  return common === 0 ? undefined : (sum * ranges.length) / common;
}
