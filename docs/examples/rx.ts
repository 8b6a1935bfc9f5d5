import { rx, topology } from 'millrace';
import { filter, map } from 'rxjs';
import { deadLetters, out, topic } from './io.js';

interface Reading {
  readonly at: number;
  readonly room: string;
  readonly celsius: number;
}

/** Plain RxJS operators, as long as they are synchronous and remember nothing. */
export const example = topology('rx', { deadLetters }, (t) => {
  t.source('readings', topic<Reading>('readings'))
    .via(
      'kitchen',
      rx(
        filter(({ room }) => room === 'kitchen'),
        map(({ celsius }) => ({ celsius })),
      ),
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
out  {"celsius": 20}
out  {"celsius": 21}
*/
