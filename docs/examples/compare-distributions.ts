import { compareDistributions, map, minutes, topology } from 'millrace';
import { deadLetters, out, topic } from './io.js';

interface Ride {
  readonly at: number;
  readonly city: string;
  readonly km: number;
}

/** The rides of each ten minutes beside those of the first ten. */
export const example = topology('compare-distributions', { deadLetters }, (t) => {
  t.source('rides', topic<Ride>('rides'))
    .via(
      'drift',
      compareDistributions({
        features: { km: { number: ({ km }) => km }, city: { category: ({ city }) => city } },
        every: minutes(10),
        reference: { first: minutes(10) },
      }),
    )
    .via(
      'shown',
      map(({ feature, startMs, by, distance, drifted }) => ({
        feature,
        minute: startMs / 60_000,
        by,
        distance: Math.round(100 * (distance ?? 0)) / 100,
        drifted,
      })),
    )
    .to('out', out());
});

/** Three times 200 rides; in the end they are longer. */
export const records = {
  rides: Array.from({ length: 600 }, (_, i) => ({
    at: 3 * i,
    city: ['Rome', 'Oslo', 'Bern'][(i * 7) % 3],
    km: (5 + ((i * 37) % 100) / 10) * (i < 400 ? 1 : 2),
  })),
};

/* out
out  {"feature": "km", "minute": 10, "by": "kolmogorovSmirnov", "distance": 0, "drifted": false}
out  {"feature": "city", "minute": 10, "by": "jensenShannon", "distance": 0.01, "drifted": false}
out  {"feature": "all", "minute": 10, "by": "importance", "distance": 0.02, "drifted": false}
out  {"feature": "km", "minute": 20, "by": "kolmogorovSmirnov", "distance": 0.74, "drifted": true}
out  {"feature": "city", "minute": 20, "by": "jensenShannon", "distance": 0.01, "drifted": false}
out  {"feature": "all", "minute": 20, "by": "importance", "distance": 2, "drifted": true}
*/
