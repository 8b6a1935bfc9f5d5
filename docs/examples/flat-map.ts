import { flatMap, topology } from 'millrace';
import { deadLetters, out, topic } from './io.js';

interface Flight {
  readonly at: number;
  readonly from: string;
  readonly to: string;
}

/** Makes two values of each. */
export const example = topology('flat-map', { deadLetters }, (t) => {
  t.source('flights', topic<Flight>('flights'))
    .via(
      'ends',
      flatMap(({ from, to }) => [
        { airport: from, leaves: 1 },
        { airport: to, lands: 1 },
      ]),
    )
    .to('out', out());
});

export const records = {
  flights: [
    { at: 0, from: 'ATL', to: 'ORD' },
    { at: 5, from: 'ORD', to: 'SFO' },
  ],
};

/* out
out  {"airport": "ATL", "leaves": 1}
out  {"airport": "ORD", "lands": 1}
out  {"airport": "ORD", "leaves": 1}
out  {"airport": "SFO", "lands": 1}
*/
