import { strict as assert } from 'node:assert';
import { crc32 } from 'node:zlib';
import type { Order, Query } from './order.js';
import type { World } from './world.js';

/** The rows that a run has come to. */
export interface Rows {
  readonly rows: number;
  /** Sum of the checksums of all rows, whatever their order. */
  readonly checksum: number;
}

interface HottestRow {
  readonly endMs: number;
  readonly hottest: { readonly most: number; readonly values: readonly { readonly key: number | string }[] };
}

interface NewUserRow {
  readonly id: number;
  readonly name: string;
  readonly startMs: number;
}

/** What two sides must have in common, and of which row it is the last word; other queries correct nothing. */
const corrected: Partial<Record<Query, (row: never) => { readonly of: string; readonly said: unknown }>> = {
  q5: ({ endMs, hottest: { most, values } }: HottestRow) => ({
    of: String(endMs),
    said: [endMs, most, values.map(({ key }) => Number(key)).sort((a, b) => a - b)],
  }),
  q8: ({ id, name, startMs }: NewUserRow) => ({ of: `${id} ${startMs}`, said: { id, name, startMs } }),
};

/**
 * Reads back what a run of a query has committed, down to its final rows: a stream of changes has several for a window, of which
 * the last one counts. Numbers in JSON are compared as numbers.
 */
export async function rowsOf(
  world: Pick<World, 'read'>,
  { work, output }: Pick<Order, 'work' | 'output'>,
): Promise<Rows> {
  const last = new Map<string, number>();
  let rows = 0;
  let checksum = 0;
  const change = corrected[work as Query];
  await world.read(output, ({ value }) => {
    assert(value, `a record without a value in ${output}`);
    if (change) {
      const { of, said } = change(JSON.parse(Buffer.from(value).toString()) as never);
      last.set(of, crc32(JSON.stringify(said)));
      return;
    }
    rows += 1;
    const row = work === 'q0' ? value : JSON.stringify(JSON.parse(Buffer.from(value).toString()));
    checksum += crc32(row);
  });
  for (const sum of last.values()) checksum += sum;
  return { rows: rows + last.size, checksum };
}

/** Throws where two runs of a query have not come to the same rows. */
export function compareRows(a: Rows, b: Rows): string {
  assert.deepEqual(b, a, 'final rows and their checksum');
  return `${a.rows.toLocaleString('en-US')} rows alike`;
}
