import { featurize, hours, map, selectBySuccessiveHalving, topology } from 'millrace';
import { featureView, ftrl, hashed, logisticRegression, numeric } from 'millrace/ml';
import { deadLetters, out, topic } from './io.js';

interface Ride {
  readonly at: number;
  readonly id: number;
  readonly city: string;
  readonly km: number;
}
interface Arrival {
  readonly at: number;
  readonly ride: number;
  readonly late: boolean;
}

const view = featureView({
  name: 'rides',
  version: 1,
  entity: { name: 'ride', key: (ride: Ride) => ride.id },
  hashBits: 4,
  columns: { city: (ride: Ride) => ride.city, km: (ride: Ride) => ride.km },
  features: { km: numeric('km', { center: 5, scale: 10 }), cityIs: hashed('city') },
});
const byRate = (alpha: number) => logisticRegression({ optimizer: ftrl({ alpha }) });

/** Four rates learn side by side; the worse half is dropped after 2 labels, and again after 4 more. */
export const example = topology('select-by-successive-halving', { deadLetters }, (t) => {
  const arrivals = t.source('arrivals', topic<Arrival>('arrivals'));
  const { predicted, eliminations } = t
    .source('rides', topic<Ride>('rides'))
    .via('features', featurize(view))
    .split(
      'model',
      { labels: arrivals },
      selectBySuccessiveHalving(
        { slow: byRate(0.01), usual: byRate(0.1), fast: byRate(1), wild: byRate(10) },
        {
          as: 'late',
          view,
          key: ({ id }) => id,
          label: { key: ({ ride }) => ride, value: ({ late }) => late, wait: hours(1) },
          pendingMax: 1_000,
          rungLabels: 2,
        },
      ),
    );
  predicted
    .via(
      'shown',
      map(({ id, late }) => ({ id, late: Math.round(late.probability * 100) / 100, by: late.candidate })),
    )
    .to('out', out());
  eliminations
    .via(
      'shown-eliminations',
      map(({ candidate, labels, best }) => ({ candidate, labels, best })),
    )
    .to('eliminations', out('eliminations'));
});

/** Rides to Rome are late, others are not: the less they learn of each, the longer candidates are wrong. */
const rides = Array.from({ length: 8 }, (_, id) => ({ at: 60 * id, id, city: id % 2 ? 'Oslo' : 'Rome', km: 15 - id }));

export const records = {
  rides,
  arrivals: rides.map(({ at, id, city }) => ({ at: at + 50, ride: id, late: city === 'Rome' })),
};

/* out
out  {"id": 0, "late": 0.5, "by": "slow"}
out  {"id": 1, "late": 0.5, "by": "slow"}
out  {"id": 2, "late": 0.5, "by": "slow"}
out  {"id": 3, "late": 0.5, "by": "slow"}
out  {"id": 4, "late": 0.5, "by": "slow"}
out  {"id": 5, "late": 0.49, "by": "usual"}
out  {"id": 6, "late": 0.52, "by": "usual"}
out  {"id": 7, "late": 0.49, "by": "usual"}
eliminations  {"candidate": "wild", "labels": 2, "best": "slow"}
eliminations  {"candidate": "fast", "labels": 2, "best": "slow"}
eliminations  {"candidate": "slow", "labels": 6, "best": "usual"}
*/
