import { detectInactivity, minutes, seconds, topology } from 'millrace';
import { deadLetters, out, topic } from './io.js';

interface Reading {
  readonly at: number;
  readonly device: string;
}

/** Which devices are there; the clock says who is gone, since nothing comes of them. */
export const example = topology('detect-inactivity', { deadLetters }, (t) => {
  t.source('readings', topic<Reading>('readings'))
    .via(
      'presence',
      detectInactivity({
        key: ({ device }) => device,
        inactivityTimeout: minutes(5),
        processingTimeInterval: seconds(30),
        keysMax: 1_000,
      }),
    )
    .to('out', out());
});

export const records = {
  readings: [
    { at: 0, device: 'a' },
    { at: 10, device: 'b' },
    { at: 20, device: 'a' },
  ],
};

/** Of processing time, in which nothing comes. */
export const silence = minutes(6);

/* out
out  {"key": "a", "present": true, "lastMs": 0}
out  {"key": "b", "present": true, "lastMs": 10000}
out  {"key": "a", "present": false, "lastMs": 20000}
out  {"key": "b", "present": false, "lastMs": 10000}
*/
