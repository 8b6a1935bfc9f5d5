import { map, topology } from 'millrace';
import { deadLetters, out, topic } from './io.js';

interface Reading {
  readonly at: number;
  readonly room: string;
  readonly celsius: number;
}

/** Replaces each value. */
export const example = topology('map', { deadLetters }, (t) => {
  t.source('readings', topic<Reading>('readings'))
    .via(
      'to-fahrenheit',
      map(({ room, celsius }) => ({ room, fahrenheit: (celsius * 9) / 5 + 32 })),
    )
    .to('out', out());
});

export const records = {
  readings: [
    { at: 0, room: 'kitchen', celsius: 20 },
    { at: 1, room: 'cellar', celsius: 11 },
    { at: 2, room: 'kitchen', celsius: 21 },
  ],
};

/* out
out  {"room": "kitchen", "fahrenheit": 68}
out  {"room": "cellar", "fahrenheit": 51.8}
out  {"room": "kitchen", "fahrenheit": 69.8}
*/
