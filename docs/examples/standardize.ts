import { standardize, topology } from 'millrace';
import { deadLetters, out, topic } from './io.js';

interface Reading {
  readonly at: number;
  readonly room: string;
  readonly celsius: number;
}

/** Brings a number to a common scale; here a fixed one, that of a training set. */
export const example = topology('standardize', { deadLetters }, (t) => {
  t.source('readings', topic<Reading>('readings'))
    .via('scale', standardize({ celsius: { mean: 20, deviation: 5 } }))
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
out  {"at": 0, "room": "kitchen", "celsius": 0}
out  {"at": 1, "room": "cellar", "celsius": -1.8}
out  {"at": 2, "room": "kitchen", "celsius": 0.2}
*/
