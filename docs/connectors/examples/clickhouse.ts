import { days, hours, json, lookup, minutes, topology, window } from 'millrace';
import { clickhouse } from 'millrace/connectors/clickhouse';
import { kafka } from 'millrace/connectors/kafka';
import { count, onUpdate, tumbling } from 'millrace/window';

interface Flight {
  readonly flightId: number;
  readonly origin: string;
  readonly departedAt: number;
}

/** Writes flights to one table and counts per hour to another, and adds airports from a third one. */
export const example = topology(
  'departures',
  {
    deadLetters: kafka.deadLetterSink({ topic: 'flights.dead' }),
    metrics: clickhouse.metricsSink({ table: 'metrics' }),
  },
  (t) => {
    const flights = t
      .source(
        'flights',
        clickhouse.querySource({
          name: 'past-flights',
          sql: 'SELECT flightId, origin, departedAt FROM past_flights',
          orderBy: ['departedAt', 'flightId'],
          schema: json<Flight>(),
          eventTime: (flight) => flight.departedAt,
        }),
      )
      .via(
        'airport',
        lookup({
          from: clickhouse.tableLookup<{ name: string }>({ table: 'airports', key: 'iata', columns: ['name'] }),
          key: (flight) => flight.origin,
          as: 'airport',
          cache: { entriesMax: 1_000, ttl: minutes(5) },
        }),
      );
    flights.to(
      'history',
      clickhouse.tableSink({
        table: 'flights',
        columns: { flightId: 'UInt32', origin: 'LowCardinality(String)', departedAt: 'DateTime64(3)' },
        orderBy: ['departedAt'],
        insertedAt: 'storedAt',
        ttl: { since: 'storedAt', after: days(90) },
      }),
    );
    flights
      .via(
        'by-hour',
        window({
          key: (flight) => flight.origin,
          window: tumbling(hours(1)),
          aggregate: { flights: count() },
          emit: onUpdate(),
          keysMax: 1_000,
        }),
      )
      .to(
        'hourly',
        clickhouse.upsertSink({
          table: 'flights_per_hour',
          key: 'window',
          columns: { startMs: 'DateTime64(3)', flights: 'UInt32' },
          orderBy: ['startMs'],
        }),
      );
  },
);

export const records = {
  flights: [
    { flightId: 7, origin: 'ZRH', departedAt: 1_000 },
    { flightId: 8, origin: 'ZRH', departedAt: 2_000 },
  ],
};

export const lookups = { airport: () => ({ name: 'Zurich' }) };

/* out
history  {"flightId": 7, "origin": "ZRH", "departedAt": 1000, "airport": {"name": "Zurich"}}
history  {"flightId": 8, "origin": "ZRH", "departedAt": 2000, "airport": {"name": "Zurich"}}
hourly  {"key": "ZRH@0", "before": null, "after": {"key": "ZRH", "startMs": 0, "endMs": 3600000, "flights": 1}}
hourly  {"key": "ZRH@0", "before": {"key": "ZRH", "startMs": 0, "endMs": 3600000, "flights": 1}, "after": {"key": "ZRH", "startMs": 0, "endMs": 3600000, "flights": 2}}
*/
