import { expectations, hours } from 'millrace';
import type { FlightArrived } from '../schemas/flight-arrived.v1.js';
import type { FlightDeparted } from '../schemas/flight-departed.v1.js';

/** What a departure must be, for the models of flights. */
export const departedExpectations = expectations<FlightDeparted>()
  .notNull('origin', 'destination')
  .range('distance', 1, 12_000)
  .fresh((f) => f.departedAt, hours(12));

/** What an arrival must be. */
export const arrivedExpectations = expectations<FlightArrived>().range('delayMinutes', -180, 2_000);
