import { minutes, sampleWindows, topology } from 'millrace';
import { tumbling } from 'millrace/window';
import { deadLetters, out, topic } from './io.js';

interface Click {
  readonly at: number;
  readonly id: number;
}

/** Two clicks of each minute, drawn when it is over. */
export const example = topology('sample-windows', { deadLetters }, (t) => {
  t.source('clicks', topic<Click>('clicks'))
    .via('to-review', sampleWindows({ window: tumbling(minutes(1)), size: 2, key: ({ id }) => id }))
    .to('out', out());
});

export const records = { clicks: [0, 10, 20, 30, 61, 62, 63].map((at, id) => ({ at, id })) };

/* out
out  {"at": 0, "id": 0}
out  {"at": 10, "id": 1}
out  {"at": 61, "id": 4}
out  {"at": 63, "id": 6}
*/
