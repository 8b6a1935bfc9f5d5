import { avro } from '../src/schema/index.js';

/** A flight has left its gate; nothing in it tells when it will arrive. */
export interface FlightDeparted {
  readonly flightId: number;
  /** Actual departure, milliseconds UTC. */
  readonly departedAt: number;
  /** Local time at the origin less UTC, at that moment. */
  readonly utcOffsetMinutes: number;
  /** IATA code of the airport. */
  readonly origin: string | null;
  readonly destination: string | null;
  /** Miles. */
  readonly distance: number | null;
}

export const FlightDepartedV1 = avro<FlightDeparted>({
  subject: 'flights.departed.v1-value',
  file: new URL('./flight-departed.v1.avsc', import.meta.url),
});
