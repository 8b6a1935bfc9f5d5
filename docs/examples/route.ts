import { route, topology } from 'millrace';
import { deadLetters, out, topic } from './io.js';

interface Reading {
  readonly at: number;
  readonly room: string;
  readonly celsius: number;
}

/** Sends each value to the first output whose predicate holds. */
export const example = topology('route', { deadLetters }, (t) => {
  const { cold, hot, otherwise } = t
    .source('readings', topic<Reading>('readings'))
    .split('by-warmth', route({ cold: ({ celsius }) => celsius < 15, hot: ({ celsius }) => celsius > 30 }));
  cold.to('cold', out('cold'));
  hot.to('hot', out('hot'));
  otherwise.to('mild', out('mild'));
});

export const records = {
  readings: [
    { at: 0, room: 'kitchen', celsius: 20 },
    { at: 1, room: 'cellar', celsius: 11 },
    { at: 2, room: 'kitchen', celsius: 21 },
  ],
};

/* out
cold  {"at": 1, "room": "cellar", "celsius": 11}
mild  {"at": 0, "room": "kitchen", "celsius": 20}
mild  {"at": 2, "room": "kitchen", "celsius": 21}
*/
