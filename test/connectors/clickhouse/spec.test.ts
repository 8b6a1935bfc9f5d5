import { describe, expect, it } from 'vitest';
import { clickhouse } from '../../../connectors/clickhouse/index.js';
import { type Change, days, type Sink } from '../../../src/core/index.js';
import { text } from '../../../src/schema/index.js';

interface Flight {
  readonly flightId: number;
  readonly origin: string;
}

/** Takes a sink of flights, as a stream of flights does. */
const ofFlights = (sink: Sink<Flight>) => sink;

describe('clickhouse.upsertSink', () => {
  const ofChanges = (sink: Sink<Change<Flight>>) => sink;

  it('is inert frozen data, with the column of the key', () => {
    const sink = ofChanges(clickhouse.upsertSink({ table: 'flights', key: 'id', columns: { origin: 'String' } }));
    expect(sink).toMatchObject({
      connector: 'clickhouse',
      kind: 'clickhouse.upsertSink',
      changes: true,
      settings: { table: 'flights', key: 'id', columns: 'origin' },
      options: { key: 'id', columns: { id: 'String', origin: 'String' }, orderBy: [] },
    });
    expect(Object.isFrozen(sink.options)).toBe(true);
  });

  it('takes changes only, and columns that they have', () => {
    // @ts-expect-error a flight is no change
    ofFlights(clickhouse.upsertSink<Flight>({ table: 'flights', key: 'id', columns: { origin: 'String' } }));
    // @ts-expect-error a flight has no tail number
    ofChanges(clickhouse.upsertSink({ table: 'flights', key: 'id', columns: { tailNumber: 'String' } }));
  });
});

describe('clickhouse.tableSink', () => {
  const of = (options: object) =>
    (
      clickhouse.tableSink({ table: 'flights', columns: { origin: 'String', at: 'DateTime' }, ...options } as never)
        .problems ?? []
    ).map(({ message }) => message);

  it('tells of options that would lose or double rows', () => {
    const ttl = { since: 'at', after: days(30) };
    const view = clickhouse.view({ name: 'v', as: 'SELECT count() FROM flights' });
    expect(of({ partitionBy: 'toYYYYMM(at)', ttl, views: [view] })).toEqual([]);
    expect(of({ insertedAt: 'storedAt', ttl: { ...ttl, since: 'storedAt' } })).toEqual([]);
    expect(of({ columns: undefined })).toEqual(['there are no columns']);
    for (const partitionBy of ['toYYYYMM(now())', '_incarnation', 'rand() % 4', 'toDate(storedAt)']) {
      expect(of({ partitionBy, insertedAt: 'storedAt' })).toEqual([
        `partitionBy ${partitionBy} is not the same when a row comes again`,
      ]);
    }
    expect(of({ ttl: { ...ttl, since: 'departedAt' } })).toEqual([
      'ttl counts since departedAt, which is not a column',
    ]);
    expect(of({ ttl: { since: 'at' } })).toEqual(['ttl is of type object']);
    const stored = clickhouse.view({ name: 'v', as: 'SELECT count() FROM flights_rows' });
    expect(of({ views: [stored] })).toEqual(['view v reads flights_rows, where a row may be stored more than once']);
    expect(of({ orderBy: ['at; DROP'], projections: {} })).toEqual([
      'there is no option projections',
      'orderBy is of type object',
      'orderBy has at; DROP, which the table has not',
    ]);
  });

  it('is inert frozen data whose columns are those of the stream', () => {
    const sink = ofFlights(
      clickhouse.tableSink({
        table: 'flights',
        columns: { flightId: 'UInt32', origin: 'String' },
        orderBy: ['origin'],
      }),
    );
    expect(sink).toMatchObject({
      connector: 'clickhouse',
      kind: 'clickhouse.tableSink',
      settings: { table: 'flights', columns: 'flightId, origin', orderBy: 'origin' },
      options: { table: 'flights', columns: { flightId: 'UInt32', origin: 'String' }, orderBy: ['origin'] },
    });
    expect(Object.isFrozen(sink)).toBe(true);
    expect(Object.isFrozen(sink.options)).toBe(true);
  });

  it('does not compile with a column that the stream lacks', () => {
    // @ts-expect-error a flight has no tail number
    ofFlights(clickhouse.tableSink({ table: 'flights', columns: { flightId: 'UInt32', tailNumber: 'String' } }));
    // @ts-expect-error nor can the table be ordered by one
    ofFlights(clickhouse.tableSink({ table: 'flights', columns: { flightId: 'UInt32' }, orderBy: ['tailNumber'] }));
  });
});

describe('clickhouse.querySource', () => {
  const problems = (options: object) =>
    (
      clickhouse.querySource({ name: 'q', sql: 'SELECT a FROM t', orderBy: ['a'], eventTime: () => 0, ...options })
        .problems ?? []
    ).map(({ message }) => message);

  it('tells of what has no order, and of rows that are no JSON', () => {
    expect(problems({})).toEqual([]);
    expect(problems({ sql: 'SELECT a FROM t LIMIT 5' })).toEqual(['the query ends in LIMIT']);
    expect(problems({ sql: 'SELECT a FROM t ORDER BY a LIMIT 1, 5' })).toEqual(['the query ends in LIMIT']);
    expect(problems({ sql: 'SELECT a FROM t LIMIT 1 BY a' })).toEqual([]);
    expect(problems({ orderBy: [] })).toEqual(['orderBy is empty']);
    expect(problems({ schema: text() })).toEqual(['text for rows of JSON']);
    expect(problems({ pageRowsMax: 0 })).toEqual(['pageRowsMax is 0']);
  });
});

it('clickhouse.tableLookup asks for the keys of a request, with each key as text', () => {
  const sqlOf = (options: object) => (clickhouse.tableLookup(options as never).options as { readonly sql: string }).sql;
  expect(sqlOf({ table: 'app.air`ports', key: 'iata', columns: ['name', 'iata'] })).toBe(
    'SELECT toString(`iata`) AS _key, `iata`, `name` FROM `app`.`air\\`ports` WHERE `iata` IN {keys:Array(String)} LIMIT 1 BY _key',
  );
  expect(sqlOf({ table: 't', key: 'id', columns: [], keyType: 'UInt64' })).toContain('IN {keys:Array(UInt64)}');
  const query = 'SELECT * FROM t WHERE id IN {keys:Array(UInt32)}';
  expect(sqlOf({ query: ` ${query}; `, key: 'id' })).toBe(
    `SELECT toString(\`id\`) AS _key, * FROM (${query}) LIMIT 1 BY _key`,
  );
});
