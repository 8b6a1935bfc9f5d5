import { map, minutes, topology, window } from 'millrace';
import { count, first, last, session } from 'millrace/window';
import { deadLetters, out, topic } from '../io.js';

interface Click {
  readonly at: number;
  readonly user: string;
  readonly page: string;
}

/** Visits: the clicks of a user with less than half an hour between them. */
export const example = topology('visits', { deadLetters }, (t) => {
  t.source('clicks', topic<Click>('clicks'))
    .via(
      'visits',
      window({
        key: ({ user }) => user,
        window: session({ gap: minutes(30) }),
        aggregate: {
          clicks: count(),
          begun: first(({ at }) => at),
          ended: last(({ at }) => at),
          exit: last(({ page }) => page),
        },
        keysMax: 100_000,
      }),
    )
    .via(
      'shown',
      map(({ key, clicks, begun, ended, exit }) => ({ user: key, clicks, seconds: (ended ?? 0) - (begun ?? 0), exit })),
    )
    .to('out', out());
});

export const records = {
  clicks: [
    { at: 0, user: 'ann', page: '/' },
    { at: 600, user: 'ann', page: '/cart' },
    { at: 700, user: 'bob', page: '/' },
    { at: 9_000, user: 'ann', page: '/help' },
  ],
};

/* out
out  {"user": "ann", "clicks": 2, "seconds": 600, "exit": "/cart"}
out  {"user": "bob", "clicks": 1, "seconds": 0, "exit": "/"}
out  {"user": "ann", "clicks": 1, "seconds": 0, "exit": "/help"}
*/
