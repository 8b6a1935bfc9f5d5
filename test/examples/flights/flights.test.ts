import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  arrivalSecond,
  departedMs,
  type Flights,
  flightFiles,
  readFlights,
} from '../../../examples/flights/flights.js';
import type { Query } from '../../../examples/flights/sql.js';
import { quoted } from '../../../examples/flights/sql.js';
import { openEngine } from './fixtures.js';

let folder: string;
let query: Query;
let close: () => void;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-flights-'));
  ({ query, close } = await openEngine(join(folder, "it's data")));
});
afterAll(async () => {
  close();
  await rm(folder, { recursive: true });
});

const departure = (flights: Flights, id: number) => ({
  origin: flights.airports[flights.origin[id] ?? -1],
  destination: flights.airports[flights.destination[id] ?? -1],
  utc: new Date(departedMs(flights, id)).toISOString(),
  offset: flights.utcOffsetMinutes[id],
  delay: flights.delayMinutes[id],
  miles: flights.distanceMiles[id],
});

describe('readFlights', () => {
  it('reads the first flights of the file and places them in UTC', async () => {
    const flights = await readFlights(query, flightFiles(), 120_000);
    expect(flights.size).toBe(120_000);
    expect(flights.zoneAssumed).toBe(0);
    // The file says 00:01 for these four, each in its own zone.
    expect([0, 1, 2, 3].map((id) => departure(flights, id))).toEqual([
      { origin: 'LAS', destination: 'PHL', utc: '2001-01-01T08:01:00.000Z', offset: -480, delay: 33, miles: 2176 },
      { origin: 'ATL', destination: 'SAV', utc: '2001-01-01T05:01:00.000Z', offset: -300, delay: 19, miles: 215 },
      { origin: 'MCI', destination: 'MDW', utc: '2001-01-01T06:01:00.000Z', offset: -360, delay: 14, miles: 405 },
      { origin: 'ANC', destination: 'LAX', utc: '2001-01-01T09:01:00.000Z', offset: -540, delay: -13, miles: 2345 },
    ]);
    // 40 min + 0.117 min a mile.
    expect(new Date(arrivalSecond(flights, 1) * 1_000).toISOString()).toBe('2001-01-01T06:06:09.000Z');
    // Behind the first batch of rows the ids still are row numbers.
    expect(departure(flights, 99_846)).toMatchObject({ origin: 'OGG', destination: 'LAX', delay: 1143 });
    expect(departure(flights, 100_000)).toEqual(departure(await readFlights(query, flightFiles(), 100_001), 100_000));
  });

  it('assumes US Central time for an airport that is not listed, and says how often', async () => {
    const files = { flights: join(folder, 'own.parquet'), airports: join(folder, 'airports.csv') };
    await query(`INSERT INTO FUNCTION file(${quoted(files.flights)}, Parquet)
      SELECT toDateTime64('2001-06-01 12:00:00', 6, 'UTC') + INTERVAL number MINUTE AS date, 5::Int64 AS delay, 100::Int64 AS distance,
             ['XXX', 'JFK'][1 + number % 2] AS origin, 'ATL' AS destination FROM numbers(3)`);
    await query(`INSERT INTO FUNCTION file(${quoted(files.airports)}, CSVWithNames)
      SELECT 'JFK' AS iata, 'Kennedy, John F.' AS name, 40.63975 AS latitude, -73.7789 AS longitude`);
    const flights = await readFlights(query, files, 500);
    expect(flights.size).toBe(3);
    expect(flights.zoneAssumed).toBe(2);
    expect([...flights.utcOffsetMinutes]).toEqual([-300, -240, -300]);
    expect(new Date(departedMs(flights, 2)).toISOString()).toBe('2001-06-01T17:02:00.000Z');
  });
});
