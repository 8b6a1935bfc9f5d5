import { dedupe, expectations, hours } from 'millrace';
import { kafka } from 'millrace/connectors/kafka';
import { type FlightArrived, FlightArrivedV1 } from '../schemas/flight-arrived.v1.js';
import { type FlightDeparted, FlightDepartedV1 } from '../schemas/flight-departed.v1.js';

// What the topologies on flights share: sources, deduplication and expectations. `flight-delays` spells out the first two.

export const departures = kafka.source({
  topic: 'flights.departed.v1',
  schema: FlightDepartedV1,
  eventTime: (f) => f.departedAt,
});

export const arrivals = kafka.source({
  topic: 'flights.arrived.v1',
  schema: FlightArrivedV1,
  eventTime: (f) => f.arrivedAt,
});

/** Drops a second record of a flight. */
export const dedupeFlights = dedupe({
  key: (f: { readonly flightId: number }) => f.flightId,
  retention: hours(24),
  keysMax: 1_000_000,
});

export const departedExpectations = expectations<FlightDeparted>()
  .notNull('origin', 'destination')
  .range('distance', 1, 12_000)
  .fresh((f) => f.departedAt, hours(12));

export const arrivedExpectations = expectations<FlightArrived>().range('delayMinutes', -180, 2_000);
