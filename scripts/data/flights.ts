import { arrivalSecond, departedMs, readFlightsAlone } from '../../examples/flights/flights.js';
import { byTime, type DataSet } from './data-set.js';

const FLIGHTS = 50_000;

/** Departures and arrivals of the first flights, without the corruption of the demo. */
export const flights: DataSet = {
  name: 'flights',
  topologies: ['flight-delays', 'flight-minutes', 'flight-evaluation'],
  revision: 1,
  about: `The first ${FLIGHTS} US flights of January 2001 (Bureau of Transportation Statistics), as in vega-datasets`,
  async streams() {
    const flights = await readFlightsAlone(FLIGHTS);
    const ids = Array.from({ length: flights.size }, (_, id) => id);
    const airport = (place: number | undefined) => flights.airports[place ?? 0] ?? '';
    const departed = ids.map((id) => ({
      flightId: id,
      departedAt: departedMs(flights, id),
      utcOffsetMinutes: flights.utcOffsetMinutes[id] ?? 0,
      origin: airport(flights.origin[id]),
      destination: airport(flights.destination[id]),
      distance: flights.distanceMiles[id] ?? 0,
    }));
    const arrived = ids.map((id) => ({
      flightId: id,
      arrivedAt: arrivalSecond(flights, id) * 1_000,
      delayMinutes: flights.delayMinutes[id] ?? 0,
    }));
    return {
      departed: byTime(departed, ({ departedAt }) => departedAt),
      arrived: byTime(arrived, ({ arrivedAt }) => arrivedAt),
    };
  },
};
