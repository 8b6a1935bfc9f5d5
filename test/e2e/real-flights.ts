import { Session } from 'chdb';
import { arrivalSecond, departedMs, type Flights, flightFiles, readFlights } from '../../examples/flights/flights.js';
import { cyclic, featureView, hashed } from '../../src/ml.js';
import type { ArrivedValue, DepartedValue } from './records.js';

/** The first flights of the file, in a process of their own engine. */
export async function firstFlights(limit: number): Promise<Flights> {
  const session = new Session();
  try {
    return await readFlights(
      async <T>(sql: string) =>
        session
          .query(`${sql} SETTINGS output_format_json_quote_64bit_integers = 0, session_timezone = 'UTC'`, 'JSONEachRow')
          .split('\n')
          .filter((line) => line !== '')
          .map((line) => JSON.parse(line) as T),
      flightFiles(),
      limit,
    );
  } finally {
    session.cleanup();
  }
}

export function departureOf(flights: Flights, id: number): DepartedValue {
  return {
    flightId: id,
    departedAt: departedMs(flights, id),
    utcOffsetMinutes: flights.utcOffsetMinutes[id] ?? 0,
    origin: flights.airports[flights.origin[id] ?? 0] ?? '',
    destination: flights.airports[flights.destination[id] ?? 0] ?? '',
    distance: flights.distanceMiles[id] ?? 0,
  };
}

/** Where a flight goes and when it departs, as the topologies without rolling features see it. */
export const flightView = featureView({
  name: 'flights',
  version: 1,
  columns: {
    origin: (flight: DepartedValue) => flight.origin,
    destination: (flight: DepartedValue) => flight.destination,
    hour: (flight: DepartedValue) => Math.floor(flight.departedAt / 3_600_000) % 24,
  },
  features: {
    hour: cyclic('hour', 24),
    origin: hashed('origin'),
    destination: hashed('destination'),
    both: hashed('origin', 'hour'),
  },
});

export const arrivalOf = (flights: Flights, id: number): ArrivedValue => ({
  flightId: id,
  arrivedAt: arrivalSecond(flights, id) * 1_000,
  delayMinutes: flights.delayMinutes[id] ?? 0,
});
