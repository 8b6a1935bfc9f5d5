import { filter, topology } from 'millrace';
import { deadLetters, out, topic } from './io.js';

interface Reading {
  readonly at: number;
  readonly room: string;
  readonly celsius: number;
}

/** Keeps what passes. */
export const example = topology('filter', { deadLetters }, (t) => {
  t.source('readings', topic<Reading>('readings'))
    .via(
      'warm',
      filter((reading) => reading.celsius > 15),
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
out  {"at": 0, "room": "kitchen", "celsius": 20}
out  {"at": 2, "room": "kitchen", "celsius": 21}
*/
