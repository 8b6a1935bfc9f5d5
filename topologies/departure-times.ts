import { type Aggregate, aggregate } from 'millrace/window';
import { type Flight, localMinutes } from './flight-features.js';

const SLOT_MINUTES = 10;
export const SLOTS = (24 * 60) / SLOT_MINUTES;

/** Departures by ten minutes of the day, on the clock at the origin; what is missing is 0. */
export type DepartureTimes = Readonly<Record<number, number>>;

/** The ten minutes of the day in which a flight left, 0 to 143. */
export const slotOf = (flight: Pick<Flight, 'departedAt' | 'utcOffsetMinutes'>): number =>
  Math.floor(localMinutes(flight) / SLOT_MINUTES) % SLOTS;

/** At which times of the day flights leave: the nearest to a timetable that departures tell. Memory: some 10 bytes a slot that has any. */
export const departureTimes = (): Aggregate<Flight, DepartureTimes> =>
  aggregate({
    name: 'departures by ten minutes',
    create: (): Record<number, number> => ({}),
    add(times, flight: Flight) {
      const slot = slotOf(flight);
      times[slot] = (times[slot] ?? 0) + 1;
      return times;
    },
    merge(times, others) {
      for (const [slot, count] of Object.entries(others)) times[Number(slot)] = (times[Number(slot)] ?? 0) + count;
      return times;
    },
    result: (times) => ({ ...times }),
  });
