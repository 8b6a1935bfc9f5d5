import { featureRows, featurize, topology } from 'millrace';
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

/** What a feature store keeps of a row. */
export const example = topology('feature-rows', { deadLetters }, (t) => {
  t.source('rides', topic<Ride>('rides'))
    .via('features', featurize(view))
    .via('rows', featureRows(view))
    .to('out', out());
});

export const records = {
  rides: [
    { at: 0, id: 1, city: 'Rome', km: 15 },
    { at: 60, id: 2, city: 'Oslo', km: 5 },
  ],
};

/* out
out  {"entity": "1", "eventTime": 0, "view": "97a96011aa2984e3", "digest": "894ca992e71edf0c", "km": 1, "hashed": [3]}
out  {"entity": "2", "eventTime": 60000, "view": "97a96011aa2984e3", "digest": "a63a7674ee4e9dd5", "km": 0, "hashed": [10]}
*/
