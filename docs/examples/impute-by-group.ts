import { impute, topology } from 'millrace';
import { deadLetters, out, topic } from './io.js';

interface Flight {
  readonly at: number;
  readonly route: string;
  readonly hour: number;
  readonly carrier?: string;
  readonly minutes: number | null;
  readonly taxi: number | null;
}

/** Fills in by group, by the most frequent value, by the records that are nearest. */
export const example = topology('impute-by-group', { deadLetters }, (t) => {
  t.source('flights', topic<Flight>('flights'))
    .via(
      'impute',
      impute({
        carrier: 'mode',
        minutes: { use: 'median', by: ({ route }) => route, groupsMax: 10_000 },
        taxi: { use: 'nearest', of: ['hour'], neighbors: 2, fallback: 15 },
      }),
    )
    .to('out', out());
});

export const records = {
  flights: [
    { at: 0, route: 'ATL-BOS', hour: 8, carrier: 'DL', minutes: 130, taxi: null }, // nobody to compare with yet
    { at: 1, route: 'ATL-BOS', hour: 9, carrier: 'DL', minutes: 140, taxi: 22 },
    { at: 2, route: 'ATL-LAX', hour: 9, carrier: 'AA', minutes: 290, taxi: 24 },
    { at: 3, route: 'ATL-LAX', hour: 22, carrier: 'DL', minutes: 280, taxi: 8 },
    { at: 4, route: 'ATL-LAX', hour: 10, minutes: null, taxi: null },
  ],
};

/* out
out  {"at": 0, "route": "ATL-BOS", "hour": 8, "carrier": "DL", "minutes": 130, "taxi": 15}
out  {"at": 1, "route": "ATL-BOS", "hour": 9, "carrier": "DL", "minutes": 140, "taxi": 22}
out  {"at": 2, "route": "ATL-LAX", "hour": 9, "carrier": "AA", "minutes": 290, "taxi": 24}
out  {"at": 3, "route": "ATL-LAX", "hour": 22, "carrier": "DL", "minutes": 280, "taxi": 8}
out  {"at": 4, "route": "ATL-LAX", "hour": 10, "minutes": 285, "taxi": 23, "carrier": "DL"}
*/
