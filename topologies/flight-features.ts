import { hours } from 'millrace';
import { cyclic, featureView, hashed, numeric, rolling } from 'millrace/ml';
import type { FlightArrived } from '../schemas/flight-arrived.v1.js';

/** A departed flight after validation: nothing is missing. */
export interface Flight {
  readonly flightId: number;
  /** Actual departure, milliseconds UTC. */
  readonly departedAt: number;
  readonly utcOffsetMinutes: number;
  readonly origin: string;
  readonly destination: string;
  /** Miles. */
  readonly distance: number;
}

type LocalTime = Pick<Flight, 'departedAt' | 'utcOffsetMinutes'>;

/** Minutes since 1970 on the clock at the origin. */
export const localMinutes = ({ departedAt, utcOffsetMinutes }: LocalTime) =>
  Math.floor(departedAt / 60_000) + utcOffsetMinutes;

/** Hour of the day, 0 to 23, on the clock at the origin. */
export const localHour = (flight: LocalTime): number => Math.floor(localMinutes(flight) / 60) % 24;

/** Half hour of the day, 0 to 47. */
export const localHalfHour = (flight: LocalTime): number => Math.floor(localMinutes(flight) / 30) % 48;

/** Day of the week, 0 for Sunday (1 January 1970 was a Thursday). */
export const localWeekday = (flight: LocalTime): number => (Math.floor(localMinutes(flight) / 1_440) + 4) % 7;

/** Delays are clipped, so that one flight that is a day late does not dominate the mean of its airport. */
const clip = [-30, 180] as const;

/**
 * What is known of a flight at its departure: where, when, and the recent delays of flights that have *arrived*, from its origin, to its
 * destination and over the whole task. No feature uses the delay of the flight itself.
 */
export const flightFeatures = featureView({
  name: 'flights',
  version: 1,
  description: 'a flight at its departure: where, when, and how late others have arrived',
  entity: { name: 'flight', key: (f: Flight) => f.flightId },
  ttl: hours(24),
  owner: 'flight-delays',
  hashBits: 15,
  columns: {
    origin: (f: Flight) => f.origin,
    destination: (f: Flight) => f.destination,
    hour: (f: Flight) => localHour(f),
    halfHour: (f: Flight) => localHalfHour(f),
    weekday: (f: Flight) => localWeekday(f),
    distance: (f: Flight) => f.distance,
  },
  outcome: {
    key: (f: Flight) => f.flightId,
    outcomeKey: (a: FlightArrived) => a.flightId,
    values: {
      delay: (a: FlightArrived) => a.delayMinutes,
      late: (a: FlightArrived) => (a.delayMinutes >= 15 ? 1 : 0),
    },
    wait: hours(24),
    pendingMax: 100_000,
  },
  features: {
    distance: numeric('distance', { center: 700, scale: 600 }),
    hour: cyclic('hour', 24),
    weekday: cyclic('weekday', 7),
    delayAtOrigin: rolling({
      by: 'origin',
      value: 'delay',
      halfLife: hours(1),
      clip,
      prior: 6,
      priorWeight: 4,
      scale: 20,
    }),
    lateAtOrigin: rolling({ by: 'origin', value: 'late', halfLife: hours(1), prior: 0.2, priorWeight: 4, scale: 0.2 }),
    delayAtDestination: rolling({
      by: 'destination',
      value: 'delay',
      halfLife: hours(1),
      clip,
      prior: 6,
      priorWeight: 4,
      scale: 20,
    }),
    lateAtDestination: rolling({
      by: 'destination',
      value: 'late',
      halfLife: hours(1),
      prior: 0.2,
      priorWeight: 4,
      scale: 0.2,
    }),
    delayOverall: rolling({ value: 'delay', halfLife: hours(1), clip, prior: 6, priorWeight: 4, scale: 10 }),
    lateOverall: rolling({ value: 'late', halfLife: hours(1), prior: 0.2, priorWeight: 4, scale: 0.1 }),
    originIs: hashed('origin'),
    destinationIs: hashed('destination'),
    route: hashed('origin', 'destination'),
    hourIs: hashed('hour'),
    weekdayIs: hashed('weekday'),
    originAtHour: hashed('origin', 'hour'),
    destinationAtHour: hashed('destination', 'hour'),
    halfHourIs: hashed('halfHour'),
  },
});
