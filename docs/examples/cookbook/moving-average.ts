import { map, minutes, topology, window } from 'millrace';
import { mean, sliding } from 'millrace/window';
import { deadLetters, out, topic } from '../io.js';

interface Reading {
  readonly at: number;
  readonly sensor: string;
  readonly celsius: number;
}

/** The mean of the last ten minutes, at each reading. */
export const example = topology('moving-average', { deadLetters }, (t) => {
  t.source('readings', topic<Reading>('readings'))
    .via(
      'ten-minutes',
      window({
        key: ({ sensor }) => sensor,
        window: sliding(minutes(10)),
        aggregate: { celsius: mean(({ celsius }) => celsius) },
        keysMax: 1_000,
      }),
    )
    .via(
      'shown',
      map(({ key, endMs, celsius }) => ({ at: (endMs - 1) / 1_000, sensor: key, celsius })),
    )
    .to('out', out());
});

export const records = {
  readings: [
    { at: 0, sensor: 'pump', celsius: 20 },
    { at: 300, sensor: 'pump', celsius: 30 },
    { at: 900, sensor: 'pump', celsius: 40 }, // the first one is no longer in it
  ],
};

/* out
out  {"at": 0, "sensor": "pump", "celsius": 20}
out  {"at": 300, "sensor": "pump", "celsius": 25}
out  {"at": 900, "sensor": "pump", "celsius": 40}
*/
