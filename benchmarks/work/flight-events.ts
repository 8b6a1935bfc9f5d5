import { arrivalSecond, departedMs, readFlightsAlone } from '../../examples/flights/flights.js';
import type { FlightArrived } from '../../schemas/flight-arrived.v1.js';
import type { FlightDeparted } from '../../schemas/flight-departed.v1.js';
import { partitionOf } from '../../src/core/partition.js';

/** One record of either topic, in the place in which a task merges it. */
export type FlightEvent =
  | { readonly timeMs: number; readonly departed: FlightDeparted }
  | { readonly timeMs: number; readonly departed: undefined; readonly arrived: FlightArrived };

/** Flights whose distance is missing: one in so many, as in the demo's stream. */
const MISSING_EVERY = 200;

/** The events of some partitions: kept as numbers, made anew each time they are asked for, as decoding would. */
export interface FlightEvents {
  /** By partition. */
  readonly sizes: readonly number[];
  /** The events of a partition from one place to before another. */
  slice(partition: number, from: number, to: number): FlightEvent[];
}

/**
 * The first flights of the demo's file as events of both topics, by partition (by origin, as the demo's loader keys them)
 * and in the order of their times.
 */
export async function flightEvents(flightsMax: number, partitions: number): Promise<FlightEvents> {
  const flights = await readFlightsAlone(flightsMax);
  const text = new TextEncoder();
  const partitionOfAirport = flights.airports.map((code) => partitionOf(text.encode(code), partitions));
  // An event is 2 x flight, and one more for its arrival.
  const lists: number[][] = Array.from({ length: partitions }, () => []);
  for (let id = 0; id < flights.size; id++)
    lists[partitionOfAirport[flights.origin[id] ?? 0] ?? 0]?.push(2 * id, 2 * id + 1);
  const timeOf = (event: number) =>
    event % 2 === 0 ? departedMs(flights, event / 2) : arrivalSecond(flights, (event - 1) / 2) * 1_000;
  const ordered = lists.map((list) => Uint32Array.from(list.sort((a, b) => timeOf(a) - timeOf(b))));

  const eventOf = (event: number): FlightEvent => {
    const timeMs = timeOf(event);
    const flightId = event >>> 1;
    if (event % 2 === 1) {
      const arrived = { flightId, arrivedAt: timeMs, delayMinutes: flights.delayMinutes[flightId] ?? 0 };
      return { timeMs, departed: undefined, arrived };
    }
    const departed = {
      flightId,
      departedAt: timeMs,
      utcOffsetMinutes: flights.utcOffsetMinutes[flightId] ?? 0,
      origin: flights.airports[flights.origin[flightId] ?? 0] ?? '',
      destination: flights.airports[flights.destination[flightId] ?? 0] ?? '',
      distance: flightId % MISSING_EVERY === 0 ? null : (flights.distanceMiles[flightId] ?? 0),
    };
    return { timeMs, departed };
  };
  return {
    sizes: ordered.map((list) => list.length),
    slice: (partition, from, to) => Array.from(ordered[partition]?.subarray(from, to) ?? [], eventOf),
  };
}
