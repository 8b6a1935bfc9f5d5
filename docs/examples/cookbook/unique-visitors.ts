import { days, topology, window } from 'millrace';
import { count, distinctCount, tumbling } from 'millrace/window';
import { deadLetters, out, topic } from '../io.js';

interface Click {
  readonly at: number;
  readonly user: string;
}

/** Clicks, and the users who made them, by day; the number of users is an estimate in fixed memory. */
export const example = topology('unique-visitors', { deadLetters }, (t) => {
  t.source('clicks', topic<Click>('clicks'))
    .via(
      'by-day',
      window({
        key: () => 'all',
        window: tumbling(days(1)),
        aggregate: { clicks: count(), users: distinctCount(({ user }) => user) },
        keysMax: 1,
      }),
    )
    .to('out', out());
});

export const records = { clicks: ['ann', 'bob', 'ann', 'cy', 'bob'].map((user, at) => ({ at, user })) };

/* out
out  {"key": "all", "startMs": 0, "endMs": 86400000, "clicks": 5, "users": 3}
*/
