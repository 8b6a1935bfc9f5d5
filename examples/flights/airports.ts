import tzLookup from 'tz-lookup';
import { type Query, quoted } from './sql.js';

/** Where an airport is not listed: US Central time, the middle of the country. Such flights are counted. */
export const fallbackZone = 'America/Chicago';

interface Airport {
  readonly iata: string;
  readonly latitude: number;
  readonly longitude: number;
}

/**
 * The time zone of every airport of `airports.csv`, found by its coordinates.
 *
 * @example
 * const zones = await readZones(query, '/data/airports.csv', ['ATL', 'PHX']);
 * zones.get('PHX'); // 'America/Phoenix'
 */
export async function readZones(
  query: Query,
  file: string,
  codes: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const rows = await query<Airport>(
    `SELECT iata, toFloat64(latitude) AS latitude, toFloat64(longitude) AS longitude FROM file(${quoted(file)}, CSVWithNames)`,
  );
  const wanted = new Set(codes);
  const zones = new Map<string, string>();
  for (const { iata, latitude, longitude } of rows)
    if (wanted.has(iata)) zones.set(iata, tzLookup(latitude, longitude));
  return zones;
}
