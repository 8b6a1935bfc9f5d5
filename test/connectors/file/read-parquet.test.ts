import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { queryAsync } from 'chdb';
import { describe, expect, it } from 'vitest';
import { type Query, readParquet } from '../../../connectors/file/index.js';

const collect = async <T>(source: AsyncIterable<T>): Promise<T[]> => {
  const all: T[] = [];
  for await (const one of source) all.push(one);
  return all;
};

describe('readParquet', () => {
  it('asks for whole batches and stops where the file does', async () => {
    const asked: string[] = [];
    const sizes = [3, 3, 1];
    const query = (async (sql: string) => {
      asked.push(sql);
      const rows = sizes.shift() ?? 0;
      return [{ __rows: rows, x: Array.from({ length: rows }, (_, i) => i) }];
    }) as Query;
    const batches = await collect(
      readParquet({ path: "it's.parquet", query, columns: { x: 'a + 1' }, offset: 10, batchRows: 3 }),
    );
    expect(batches.map(({ firstRow, rows }) => [firstRow, rows])).toEqual([
      [10, 3],
      [13, 3],
      [16, 1],
    ]);
    expect(batches[2]?.columns.x).toEqual([0]);
    expect(asked[0]).toContain("file('it\\'s.parquet', Parquet)");
    expect(asked[0]).toContain('a + 1');
    expect(asked[1]).toMatch(/_row_number >= 13 AND _row_number < 16/);
  });

  it('asks for no more than the limit, and not again after it', async () => {
    const asked: string[] = [];
    const query = (async (sql: string) => {
      asked.push(sql);
      const [, from, to] = /_row_number >= (\d+) AND _row_number < (\d+)/.exec(sql) ?? [];
      const rows = Number(to) - Number(from);
      return [{ __rows: rows, x: Array.from({ length: rows }, () => null) }];
    }) as Query;
    const batches = await collect(readParquet({ path: 'f', query, columns: { x: 'x' }, limit: 5, batchRows: 3 }));
    expect(batches.map(({ rows }) => rows)).toEqual([3, 2]);
    expect(asked).toHaveLength(2);
  });

  it('reads real flights in file order with the real engine', async () => {
    const file = join(
      dirname(createRequire(import.meta.url).resolve('vega-datasets')),
      '..',
      'data',
      'flights-3m.parquet',
    );
    const query: Query = async <T>(sql: string) =>
      (await queryAsync(sql, { format: 'JSON' })).json<{ data: T[] }>().data;
    const columns = { row: 'toUInt32(_row_number)', origin: 'origin', none: 'if(_row_number = 7, NULL, delay)' };
    const batches = await collect(
      readParquet({ path: file, query, columns, offset: 5, limit: 2_500, batchRows: 1_000 }),
    );
    expect(batches.map(({ rows }) => rows)).toEqual([1_000, 1_000, 500]);
    expect(batches.flatMap((batch) => batch.columns.row)).toEqual(Array.from({ length: 2_500 }, (_, i) => 5 + i));
    expect(batches[0]?.columns.none[2]).toBeNull();
    expect(typeof batches[0]?.columns.none[3]).toBe('number');
    expect(batches[0]?.columns.origin[0]).toMatch(/^[A-Z]{3}$/);
    const past = await collect(readParquet({ path: file, query, columns, offset: 2_999_999 }));
    expect(past.map(({ rows }) => rows)).toEqual([1]);
    await expect(collect(readParquet({ path: '/no/such.parquet', query, columns }))).rejects.toMatchObject({
      code: 'source',
      where: '/no/such.parquet',
    });
  });
});
