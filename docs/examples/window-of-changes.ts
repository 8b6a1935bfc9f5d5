import { hours, minutes, topology, window, windowOfChanges } from 'millrace';
import { count, onInterval, onUpdate, session, sum, tumbling } from 'millrace/window';
import { deadLetters, out, topic } from './io.js';

interface Trip {
  readonly at: number;
  readonly rider: string;
  readonly km: number;
}

/** A window over corrections. */
export const example = topology('window-of-changes', { deadLetters }, (t) => {
  t.source('trips', topic<Trip>('trips'))
    .via(
      'outings',
      window({
        key: ({ rider }) => rider,
        window: session({ gap: minutes(10) }),
        aggregate: { km: sum(({ km }) => km) },
        emit: onInterval({ every: minutes(5) }), // told before it is over, and corrected
        keysMax: 1_000,
      }),
    )
    .via(
      'by-hour',
      windowOfChanges({
        key: () => 'all',
        eventTime: ({ endMs }) => endMs - 1,
        window: tumbling(hours(1)),
        aggregate: { outings: count(), km: sum(({ km }) => km) },
        emit: onUpdate(),
        allowedLateness: hours(1),
        keysMax: 1,
      }),
    )
    .to('out', out());
});

export const records = {
  trips: [
    { at: 0, rider: 'ann', km: 1 },
    { at: 400, rider: 'ann', km: 2 }, // the outing of ann goes on: what was said of it is taken back
    { at: 500, rider: 'bob', km: 7 },
    { at: 2_000, rider: 'bob', km: 1 },
  ],
};

/* out
out  {"key": "all@0", "before": null, "after": {"key": "all", "startMs": 0, "endMs": 3600000, "outings": 1, "km": 3}}
out  {"key": "all@0", "before": {"key": "all", "startMs": 0, "endMs": 3600000, "outings": 1, "km": 3}, "after": {"key": "all", "startMs": 0, "endMs": 3600000, "outings": 2, "km": 10}}
out  {"key": "all@0", "before": {"key": "all", "startMs": 0, "endMs": 3600000, "outings": 2, "km": 10}, "after": {"key": "all", "startMs": 0, "endMs": 3600000, "outings": 3, "km": 11}}
*/
