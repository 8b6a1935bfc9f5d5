import { describe, expect, it } from 'vitest';
import { explain } from '../../../connectors/postgres/errors.js';
import { type PostgresTableOptions, postgres } from '../../../connectors/postgres/index.js';
import { insertSql } from '../../../connectors/postgres/table.js';

interface Order {
  readonly id: number;
  readonly at: Date;
}
const table = (options: Partial<PostgresTableOptions<Order>> = {}) =>
  postgres.tableSink<Order>({ table: 'orders', columns: { id: 'bigint', at: 'timestamptz' }, ...options });

describe('postgres.tableSink', () => {
  it('is inert data that says what it does', () => {
    expect(table().settings).toEqual({ table: 'orders', columns: 'id, at' });
    expect(table({ key: ['id'], exactlyOnce: true })).toMatchObject({
      settings: { key: 'id', exactlyOnce: true },
      deferred: { rowsMax: 100_000 },
    });
  });

  it('says what is wrong with its options', () => {
    const messages = (options: object) => table(options).problems?.map(({ message }) => message);
    expect(messages({})).toEqual([]);
    expect(
      messages({ table: 'shop.orders', columns: { id: 'numeric(12, 2)', at: 'timestamp(3) with time zone' } }),
    ).toEqual([]);
    expect(messages({ table: 'a; drop', columns: { id: 'text[]' }, key: ['at'] })).toEqual([
      "'a; drop' is not a valid name for a table or column",
      'column id is "text[]"',
      'the key has at, which is not a column',
    ]);
    expect(messages({ columns: {} })).toEqual(['no columns']);
  });

  it('makes one statement for any number of rows', () => {
    const columns = { id: 'bigint', n: 'text' };
    const plain = 'INSERT INTO "a"."b" ("id", "n") SELECT * FROM unnest($1::bigint[], $2::text[])';
    expect(insertSql({ table: 'a.b', columns, key: [] })).toBe(plain);
    expect(insertSql({ table: 'a.b', columns, key: ['id'] })).toBe(
      'INSERT INTO "a"."b" ("id", "n") SELECT DISTINCT ON (c1) c1, c2 FROM unnest($1::bigint[], $2::text[]) ' +
        'WITH ORDINALITY AS given(c1, c2, place) ORDER BY c1, place DESC ' +
        'ON CONFLICT ("id") DO UPDATE SET "n" = EXCLUDED."n"',
    );
    expect(insertSql({ table: 'a.b', columns, key: ['id', 'n'] })).toBe(`${plain} ON CONFLICT ("id", "n") DO NOTHING`);
  });

  it('says what is wrong with a value without the value, at every level of detail', () => {
    const told = Object.assign(new Error('invalid input syntax for type bigint: "4111 1111"'), { code: '22P02' });
    const error = explain(told, 'cannot write to table cards', 'postgres://db/shop');
    expect(error).toMatchObject({ code: 'sink', permanent: true });
    expect(error.cause).toBeUndefined();
    expect(error.message).toBe('cannot write to table cards: invalid input syntax for type bigint: "..." (22P02)');
  });
});
