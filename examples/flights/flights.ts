import { mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { openClickHouse } from '../../connectors/clickhouse/open.js';
import { type ColumnBatch, readParquet } from '../../connectors/file/index.js';
import { assert } from '../../src/core/errors.js';
import { getOrInsert } from '../../src/util/maps.js';
import { fallbackZone, readZones } from './airports.js';
import { offsetsOf } from './local-time.js';
import { type Query, quoted } from './sql.js';

/**
 * Flights as columns; place `i` is the flight with id `i`, which is its row number in the file. 14 bytes a flight.
 *
 * The data gives the actual departure in the origin's local time and the delay of the arrival. The moment of arrival
 * is an estimate: see `arrivalSecond`.
 */
export interface Flights {
  readonly size: number;
  /** Airport codes; `origin` and `destination` are places in this list. */
  readonly airports: readonly string[];
  /** UTC, in minutes since 1970: the resolution of the data. */
  readonly departedMinute: Uint32Array;
  readonly utcOffsetMinutes: Int16Array;
  readonly delayMinutes: Int16Array;
  readonly distanceMiles: Uint16Array;
  readonly origin: Uint16Array;
  readonly destination: Uint16Array;
  /** Flights whose origin has no listed coordinates and whose zone was therefore assumed. */
  readonly zoneAssumed: number;
}

/** The files of the npm package `vega-datasets`. */
export interface FlightFiles {
  readonly flights: string;
  readonly airports: string;
}

/** Finds the data in the installed package. */
export function flightFiles(): FlightFiles {
  const data = join(dirname(createRequire(import.meta.url).resolve('vega-datasets')), '..', 'data');
  return { flights: join(data, 'flights-3m.parquet'), airports: join(data, 'airports.csv') };
}

export const departedMs = (flights: Flights, id: number): number => (flights.departedMinute[id] ?? 0) * 60_000;

/** Estimated arrival in UTC seconds since 1970: departure + 40 min + 0.117 min a mile, to the second. */
export const arrivalSecond = (flights: Flights, id: number): number =>
  (flights.departedMinute[id] ?? 0) * 60 + Math.round((40 + 0.117 * (flights.distanceMiles[id] ?? 0)) * 60);

/** What is read of the file; a value that does not fit its column is an error, not another value. */
const fileColumns = {
  minute: 'toUInt32(intDiv(toUnixTimestamp(date), 60))',
  delay: "accurateCast(delay, 'Int16')",
  distance: "accurateCast(distance, 'UInt16')",
  origin: 'assumeNotNull(origin)',
  destination: 'assumeNotNull(destination)',
} as const;

/**
 * Reads the first `limit` flights in file order and places them in UTC.
 *
 * @param limit Number of flights; all of the file where it holds fewer.
 * @example
 * const flights = await readFlights(query, flightFiles(), 500_000);
 */
export async function readFlights(query: Query, files: FlightFiles, limit: number): Promise<Flights> {
  const [counted] = await query<{ rows: number }>(
    `SELECT toUInt32(count()) AS rows FROM file(${quoted(files.flights)}, Parquet)`,
  );
  const size = Math.min(limit, counted?.rows ?? 0);
  const columns = {
    departedMinute: new Uint32Array(size),
    utcOffsetMinutes: new Int16Array(size),
    delayMinutes: new Int16Array(size),
    distanceMiles: new Uint16Array(size),
    origin: new Uint16Array(size),
    destination: new Uint16Array(size),
  };
  const places = new Map<string, number>();
  const placeOf = (code: string): number => getOrInsert(places, code, () => places.size);
  let read = 0;
  for await (const batch of readParquet({ path: files.flights, query, columns: fileColumns, limit: size })) {
    copyBatch(batch, columns, placeOf);
    read += batch.rows;
  }
  assert(read === size, `the file gave ${read} of ${size} flights`);
  const airports = [...places.keys()];
  const zones = await readZones(query, files.airports, airports);
  const zoneAssumed = toUtc(columns.departedMinute, columns.utcOffsetMinutes, columns.origin, airports, zones);
  return { size, airports, ...columns, zoneAssumed };
}

/** The same, by an engine of its own in this process: a ClickHouse server cannot read the files of this machine. */
export async function readFlightsAlone(limit: number): Promise<Flights> {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-flights-'));
  const engine = await openClickHouse({ path: folder });
  try {
    return await readFlights((sql) => engine.query(sql), flightFiles(), limit);
  } finally {
    await engine.close();
    await rm(folder, { recursive: true, force: true });
  }
}

type Columns = Omit<Flights, 'size' | 'airports' | 'zoneAssumed'>;

function copyBatch(
  { firstRow, rows, columns: given }: ColumnBatch<keyof typeof fileColumns>,
  columns: Columns,
  placeOf: (code: string) => number,
): void {
  for (let i = 0; i < rows; i++) {
    const id = firstRow + i;
    columns.departedMinute[id] = Number(given.minute[i]);
    columns.delayMinutes[id] = Number(given.delay[i]);
    columns.distanceMiles[id] = Number(given.distance[i]);
    columns.origin[id] = placeOf(String(given.origin[i]));
    columns.destination[id] = placeOf(String(given.destination[i]));
  }
}

/** Turns local minutes into UTC in place, fills the offsets in, and counts the flights whose zone had to be assumed. */
function toUtc(
  minutes: Uint32Array,
  offsets: Int16Array,
  origins: Uint16Array,
  airports: readonly string[],
  zones: ReadonlyMap<string, string>,
): number {
  const byZone = new Map<string, (localMs: number) => number>();
  const offsetAt = airports.map((code) => {
    const zone = zones.get(code) ?? fallbackZone;
    return getOrInsert(byZone, zone, () => offsetsOf(zone));
  });
  const listed = airports.map((code) => zones.has(code));
  let assumed = 0;
  for (let id = 0; id < minutes.length; id++) {
    const origin = origins[id] ?? 0;
    const local = minutes[id] ?? 0;
    const offset = offsetAt[origin]?.(local * 60_000) ?? 0;
    offsets[id] = offset;
    minutes[id] = local - offset;
    if (!listed[origin]) assumed++;
  }
  return assumed;
}
