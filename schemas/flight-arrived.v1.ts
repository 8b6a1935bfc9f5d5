import { avro } from '../src/schema/index.js';

/** A flight has arrived: the label of its departure. */
export interface FlightArrived {
  readonly flightId: number;
  /** Estimated arrival, milliseconds UTC. */
  readonly arrivedAt: number;
  /** Minutes later than scheduled; negative when early. */
  readonly delayMinutes: number;
}

export const FlightArrivedV1 = avro<FlightArrived>({
  subject: 'flights.arrived.v1-value',
  file: new URL('./flight-arrived.v1.avsc', import.meta.url),
});
