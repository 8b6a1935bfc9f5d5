import { hours, topology, window } from 'millrace';
import { topK, tumbling } from 'millrace/window';
import { deadLetters, out, topic } from '../io.js';

interface Visit {
  readonly at: number;
  readonly page: string;
}

/** The two most visited pages of each hour. */
export const example = topology('top-pages', { deadLetters }, (t) => {
  t.source('visits', topic<Visit>('visits'))
    .via(
      'by-hour',
      window({
        key: () => 'all',
        window: tumbling(hours(1)),
        aggregate: { top: topK(({ page }) => page, 2) },
        keysMax: 1,
      }),
    )
    .to('out', out());
});

export const records = { visits: ['/a', '/b', '/a', '/c', '/b', '/a'].map((page, i) => ({ at: 60 * i, page })) };

/* out
out  {"key": "all", "startMs": 0, "endMs": 3600000, "top": [{"value": "/a", "count": 3, "error": 0}, {"value": "/b", "count": 2, "error": 0}]}
*/
