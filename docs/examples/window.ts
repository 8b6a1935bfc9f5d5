import { minutes, seconds, topology, window } from 'millrace';
import { count, mean, tumbling } from 'millrace/window';
import { deadLetters, out, topic } from './io.js';

interface Trip {
  readonly at: number;
  readonly station: string;
  readonly km: number;
}

/** One row a station and minute, once nothing can change it any more. */
export const example = topology('window', { deadLetters }, (t) => {
  t.source('trips', topic<Trip>('trips', { outOfOrdernessMax: seconds(10) }))
    .via(
      'by-minute',
      window({
        key: ({ station }) => station,
        window: tumbling(minutes(1)),
        aggregate: { trips: count(), km: mean(({ km }) => km) },
        keysMax: 1_000,
      }),
    )
    .to('out', out());
});

export const records = {
  trips: [
    { at: 5, station: 'dock', km: 2 },
    { at: 65, station: 'dock', km: 9 },
    { at: 58, station: 'dock', km: 4 }, // late, but within ten seconds
    { at: 90, station: 'park', km: 1 },
    { at: 20, station: 'dock', km: 3 }, // too late
  ],
};

/* out
out  {"key": "dock", "startMs": 0, "endMs": 60000, "trips": 2, "km": 3}
out  {"key": "dock", "startMs": 60000, "endMs": 120000, "trips": 1, "km": 9}
out  {"key": "park", "startMs": 60000, "endMs": 120000, "trips": 1, "km": 1}
dead letter  late: its windows are closed: the watermark is at 80000
*/
