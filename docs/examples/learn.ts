import { featurize, hours, learn, map, topology } from 'millrace';
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

/** Predicts at once, and learns when the ride has arrived. */
export const example = topology('learn', { deadLetters }, (t) => {
  const arrivals = t.source('arrivals', topic<Arrival>('arrivals'));
  t.source('rides', topic<Ride>('rides'))
    .via('features', featurize(view))
    .via(
      'model',
      { labels: arrivals },
      learn(logisticRegression({ optimizer: ftrl({ alpha: 0.5 }) }), {
        as: 'late',
        view,
        key: ({ id }) => id,
        label: { key: ({ ride }) => ride, value: ({ late }) => late, wait: hours(1) },
        pendingMax: 1_000,
      }),
    )
    .via(
      'shown',
      map(({ id, late }) => ({ id, late: Math.round(late.probability * 100) / 100 })),
    )
    .to('out', out());
});

export const records = {
  rides: [
    { at: 0, id: 1, city: 'Rome', km: 15 },
    { at: 60, id: 2, city: 'Rome', km: 15 }, // nothing has arrived yet
    { at: 900, id: 3, city: 'Rome', km: 15 },
    { at: 960, id: 4, city: 'Oslo', km: 5 },
  ],
  arrivals: [
    { at: 800, ride: 1, late: true },
    { at: 820, ride: 2, late: true },
  ],
};

/* out
out  {"id": 1, "late": 0.5}
out  {"id": 2, "late": 0.5}
out  {"id": 3, "late": 0.7}
out  {"id": 4, "late": 0.57}
*/
