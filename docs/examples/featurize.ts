import { featurize, map, topology } from 'millrace';
import { featureView, hashed, numeric } from 'millrace/ml';
import { deadLetters, out, topic } from './io.js';

interface Ride {
  readonly at: number;
  readonly id: number;
  readonly city: string;
  readonly km: number;
}

const view = featureView({
  name: 'rides',
  version: 1,
  entity: { name: 'ride', key: (ride: Ride) => ride.id },
  hashBits: 4,
  columns: { city: (ride: Ride) => ride.city, km: (ride: Ride) => ride.km },
  features: { km: numeric('km', { center: 5, scale: 10 }), cityIs: hashed('city') },
});

/** A row becomes the numbers that a model sees. */
export const example = topology('featurize', { deadLetters }, (t) => {
  t.source('rides', topic<Ride>('rides'))
    .via('features', featurize(view)) // adds `features`, keeps every field
    .via(
      'shown',
      map(({ id, features }) => ({ id, dense: [...features.dense], hashed: [...features.indices] })),
    )
    .to('out', out());
});

export const records = {
  rides: [
    { at: 0, id: 1, city: 'Rome', km: 15 },
    { at: 60, id: 2, city: 'Oslo', km: 5 },
  ],
};

/* out
out  {"id": 1, "dense": [1], "hashed": [3]}
out  {"id": 2, "dense": [0], "hashed": [10]}
*/
