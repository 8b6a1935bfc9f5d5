import { peek, topology } from 'millrace';
import { deadLetters, out, topic } from './io.js';

interface Reading {
  readonly at: number;
  readonly room: string;
  readonly celsius: number;
}

/** For looking only: after a crash some records are seen again. */
export const rooms = new Set<string>();

/** Looks at each value and passes it on. */
export const example = topology('peek', { deadLetters }, (t) => {
  t.source('readings', topic<Reading>('readings'))
    .via(
      'look',
      peek(({ room }) => rooms.add(room)),
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
out  {"at": 1, "room": "cellar", "celsius": 11}
out  {"at": 2, "room": "kitchen", "celsius": 21}
*/
