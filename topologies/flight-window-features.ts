import { hours } from 'millrace';
import { cyclic, featureView, hashed, numeric } from 'millrace/ml';
import { type DepartureTimes, SLOTS, slotOf } from './departure-times.js';
import { type Flight, localHalfHour, localHour, localWeekday } from './flight-features.js';

/** What a window says of flights that have arrived. */
export interface Arrivals {
  readonly endMs: number;
  readonly flights: number;
  /** Mean, minutes. */
  readonly delay: number | null;
  /** Share that was 15 minutes or more late. */
  readonly late: number | null;
}

/** When flights of a route left, and since when that is known. */
export interface RouteTimes {
  readonly startMs: number;
  readonly endMs: number;
  readonly firstMs: number | null;
  readonly times: DepartureTimes;
}

/** A departed flight and what windows over earlier ones say, each as it was when this one left. */
export interface FlightInContext extends Flight {
  /** When flights of the route left in the fourteen days before. */
  readonly usual: RouteTimes | null;
  /** When flights of the route left on the last day on which one did. */
  readonly today: RouteTimes | null;
  /** Flights from the origin that arrived in the last two hours. */
  readonly fromOrigin: Arrivals | null;
  /** Flights to the destination that did. */
  readonly toDestination: Arrivals | null;
  /** Flights to the origin that did: the aircraft that leave next. */
  readonly toOrigin: Arrivals | null;
  /** Flights of the route that arrived in the day before. */
  readonly onRoute: Arrivals | null;
}

export const recent = hours(2);
export const day = hours(24);
/** Days end at night all over the country. */
export const nightfall = hours(9);

/** A mean with the usual value as a prior. It returns to that value when nothing has arrived for the length of the window. */
const settled = (
  arrivals: Arrivals | null,
  { departedAt }: Flight,
  of: 'delay' | 'late',
  usually: number,
  sizeMs: number,
): number => {
  const flights = arrivals && departedAt - arrivals.endMs < sizeMs ? arrivals.flights : 0;
  return ((arrivals?.[of] ?? usually) * flights + usually * 4) / (flights + 4);
};

const delayIn = (arrivals: Arrivals | null, flight: Flight, sizeMs: number = recent) =>
  settled(arrivals, flight, 'delay', 6, sizeMs);
const lateIn = (arrivals: Arrivals | null, flight: Flight, sizeMs: number = recent) =>
  settled(arrivals, flight, 'late', 0.2, sizeMs);

const departuresMax = 3;
const timesAt = (times: DepartureTimes | undefined, flight: Flight, lag: number): number =>
  times?.[(slotOf(flight) - lag + SLOTS) % SLOTS] ?? 0;

/** How many flights of the route leave at such a time on a usual day. */
const usuallyAt = (flight: FlightInContext, lag: number): number => {
  const { usual } = flight;
  if (usual === null || usual.firstMs === null) return 0;
  const days = Math.ceil((usual.endMs - usual.firstMs) / day);
  return Math.min(departuresMax, timesAt(usual.times, flight, lag) / days);
};

/** How many have left today at that time. */
const todayAt = (flight: FlightInContext, lag: number): number => {
  const { today } = flight;
  return today === null || flight.departedAt >= today.endMs
    ? 0
    : Math.min(departuresMax, timesAt(today.times, flight, lag));
};

const usualDepartures = ({ usual }: FlightInContext): number =>
  Object.values(usual?.times ?? {}).reduce((sum, count) => sum + count, 0);

/** From ten minutes ahead to two hours back, in tens of minutes. */
const lags = Array.from({ length: 14 }, (_, i) => i - 1);
const named = <T>(prefix: string, of: (lag: number) => T): Readonly<Record<string, T>> =>
  Object.fromEntries(lags.map((lag) => [lag < 0 ? `${prefix}Ahead` : `${prefix}${lag * 10}`, of(lag)]));

/**
 * What is known of a flight at its departure, from windows over earlier flights. The data has no timetable, but the departures of a route in
 * the last two weeks are nearly one: a flight that leaves when none is due, an hour after one that was due and has not left, is late. No
 * feature uses the delay of a flight that has not arrived.
 */
export const flightWindowFeatures = featureView({
  name: 'flight-windows',
  version: 1,
  description: 'a flight at its departure: where, when, how usual that is, and how late others have arrived',
  entity: { name: 'flight', key: (f: FlightInContext) => f.flightId },
  ttl: hours(24),
  owner: 'flight-windows',
  hashBits: 15,
  columns: {
    origin: (f: FlightInContext) => f.origin,
    destination: (f: FlightInContext) => f.destination,
    hour: (f: FlightInContext) => localHour(f),
    halfHour: (f: FlightInContext) => localHalfHour(f),
    weekday: (f: FlightInContext) => localWeekday(f),
    distance: (f: FlightInContext) => f.distance,
    delayFromOrigin: (f: FlightInContext) => delayIn(f.fromOrigin, f),
    lateFromOrigin: (f: FlightInContext) => lateIn(f.fromOrigin, f),
    delayToDestination: (f: FlightInContext) => delayIn(f.toDestination, f),
    lateToDestination: (f: FlightInContext) => lateIn(f.toDestination, f),
    delayToOrigin: (f: FlightInContext) => delayIn(f.toOrigin, f),
    lateToOrigin: (f: FlightInContext) => lateIn(f.toOrigin, f),
    delayOnRoute: (f: FlightInContext) => delayIn(f.onRoute, f, day),
    lateOnRoute: (f: FlightInContext) => lateIn(f.onRoute, f, day),
    routeIsKnown: (f: FlightInContext) => (f.usual === null ? 0 : 1),
    usualDepartures: (f: FlightInContext) => Math.log1p(usualDepartures(f)),
    ...named('usual', (lag) => (f: FlightInContext) => usuallyAt(f, lag)),
    ...named('today', (lag) => (f: FlightInContext) => todayAt(f, lag)),
  },
  features: {
    distance: numeric('distance', { center: 700, scale: 600 }),
    hour: cyclic('hour', 24),
    weekday: cyclic('weekday', 7),
    ...Object.fromEntries(
      ['FromOrigin', 'ToDestination', 'ToOrigin', 'OnRoute'].flatMap((where) => [
        [`delay${where}`, numeric(`delay${where}`, { center: 6, scale: 20 })],
        [`late${where}`, numeric(`late${where}`, { center: 0.2, scale: 0.2 })],
      ]),
    ),
    routeIsKnown: numeric('routeIsKnown'),
    usualDepartures: numeric('usualDepartures'),
    ...Object.fromEntries(
      [...Object.keys(named('usual', Number)), ...Object.keys(named('today', Number))].map((n) => [n, numeric(n)]),
    ),
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
