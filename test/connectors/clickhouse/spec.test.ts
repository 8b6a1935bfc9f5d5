import { describe, expect, it } from 'vitest';
import { clickhouse } from '../../../connectors/clickhouse/index.js';
import type { Change, Sink } from '../../../src/core/index.js';

interface Flight {
  readonly flightId: number;
  readonly origin: string;
}

/** Takes a sink of flights, as a stream of flights does. */
const ofFlights = (sink: Sink<Flight>) => sink;

describe('clickhouse.upserts', () => {
  const ofChanges = (sink: Sink<Change<Flight>>) => sink;

  it('is inert frozen data, with the column of the key', () => {
    const sink = ofChanges(clickhouse.upserts({ table: 'flights', key: 'id', columns: { origin: 'String' } }));
    expect(sink).toMatchObject({
      connector: 'clickhouse',
      kind: 'clickhouse.upserts',
      changes: true,
      settings: { table: 'flights', key: 'id', columns: 'origin' },
      options: { key: 'id', columns: { id: 'String', origin: 'String' }, orderBy: [] },
    });
    expect(Object.isFrozen(sink.options)).toBe(true);
  });

  it('takes changes only, and columns that they have', () => {
    // @ts-expect-error a flight is no change
    ofFlights(clickhouse.upserts<Flight>({ table: 'flights', key: 'id', columns: { origin: 'String' } }));
    // @ts-expect-error a flight has no tail number
    ofChanges(clickhouse.upserts({ table: 'flights', key: 'id', columns: { tailNumber: 'String' } }));
  });
});

describe('clickhouse.table', () => {
  it('is inert frozen data whose columns are those of the stream', () => {
    const sink = ofFlights(
      clickhouse.table({ table: 'flights', columns: { flightId: 'UInt32', origin: 'String' }, orderBy: ['origin'] }),
    );
    expect(sink).toMatchObject({
      connector: 'clickhouse',
      kind: 'clickhouse.table',
      settings: { table: 'flights', columns: 'flightId, origin', orderBy: 'origin' },
      options: { table: 'flights', columns: { flightId: 'UInt32', origin: 'String' }, orderBy: ['origin'] },
    });
    expect(Object.isFrozen(sink)).toBe(true);
    expect(Object.isFrozen(sink.options)).toBe(true);
  });

  it('does not compile with a column that the stream lacks', () => {
    // @ts-expect-error a flight has no tail number
    ofFlights(clickhouse.table({ table: 'flights', columns: { flightId: 'UInt32', tailNumber: 'String' } }));
    // @ts-expect-error nor can the table be ordered by one
    ofFlights(clickhouse.table({ table: 'flights', columns: { flightId: 'UInt32' }, orderBy: ['tailNumber'] }));
  });
});
