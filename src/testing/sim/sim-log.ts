import type { RawRecord } from '../../core/index.js';

/** The topics of a simulation: what was written before it began, by topic and partition. Offsets may have gaps. */
export type SimLog = Readonly<Record<string, readonly (readonly RawRecord[])[]>>;

/** Where reading from an offset begins: offsets between records are as good as the next one. */
export function placeOf(records: readonly RawRecord[], offset: number): number {
  let low = 0;
  let high = records.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((records[middle] as RawRecord).offset < offset) low = middle + 1;
    else high = middle;
  }
  return low;
}
