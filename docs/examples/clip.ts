import { clip, topology } from 'millrace';
import { deadLetters, out, topic } from './io.js';

interface Reading {
  readonly at: number;
  readonly room: string;
  readonly celsius: number;
}

/** Bounds numbers, and says which it has bounded. */
export const example = topology('clip', { deadLetters }, (t) => {
  t.source('readings', topic<Reading>('readings'))
    .via('clip', clip({ celsius: { min: -30, max: 60 } }, { mark: 'clipped' }))
    .to('out', out());
});

export const records = {
  readings: [
    { at: 0, room: 'kitchen', celsius: 20 },
    { at: 1, room: 'kitchen', celsius: 850 },
  ],
};

/* out
out  {"at": 0, "room": "kitchen", "celsius": 20, "clipped": []}
out  {"at": 1, "room": "kitchen", "celsius": 60, "clipped": ["celsius"]}
*/
