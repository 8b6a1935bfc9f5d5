import { minutes, seconds, splitLate, topology, window } from 'millrace';
import { count, tumbling } from 'millrace/window';
import { deadLetters, out, topic } from './io.js';

interface Trip {
  readonly at: number;
  readonly station: string;
}

/** Trips by the minute, and those that came when their minute had been told. */
export const example = topology('split-late', { deadLetters }, (t) => {
  const { results, late } = t.source('trips', topic<Trip>('trips', { outOfOrdernessMax: seconds(10) })).split(
    'by-minute',
    splitLate(
      window({
        key: ({ station }) => station,
        window: tumbling(minutes(1)),
        aggregate: { trips: count() },
        keysMax: 1_000,
      }),
    ),
  );
  results.to('out', out());
  late.to('late', out('late'));
});

export const records = {
  trips: [
    { at: 20, station: 'dock' },
    { at: 65, station: 'dock' },
    { at: 59, station: 'dock' }, // within the disorder
    { at: 80, station: 'dock' }, // nothing before 70 is waited for any more
    { at: 58, station: 'dock' },
  ],
};

/* out
out  {"key": "dock", "startMs": 0, "endMs": 60000, "trips": 2}
out  {"key": "dock", "startMs": 60000, "endMs": 120000, "trips": 2}
late  {"at": 58, "station": "dock"}
*/
