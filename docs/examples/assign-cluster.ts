import { assignCluster, featurize, map, topology } from 'millrace';
import { featureView, kMeans, numeric } from 'millrace/ml';
import { deadLetters, out, topic } from './io.js';

interface Ride {
  readonly at: number;
  readonly id: number;
  readonly km: number;
  readonly minutes: number;
}

const view = featureView({
  name: 'rides',
  version: 1,
  columns: { km: (ride: Ride) => ride.km, minutes: (ride: Ride) => ride.minutes },
  features: { km: numeric('km', { scale: 10 }), minutes: numeric('minutes', { scale: 30 }) },
});

/** Says to which cluster each ride belongs, then learns from it. The first two rides begin the clusters. */
export const example = topology('assign-cluster', { deadLetters }, (t) => {
  t.source('rides', topic<Ride>('rides'))
    .via('features', featurize(view))
    .via('segments', assignCluster(kMeans({ clusters: 2, halfLife: 1_000 }), { as: 'segment', view }))
    .via(
      'shown',
      map(({ id, segment }) => ({ id, segment: segment.cluster, off: Math.round(segment.distance * 100) / 100 })),
    )
    .to('out', out());
});

export const records = {
  rides: [
    { at: 0, id: 1, km: 2, minutes: 10 },
    { at: 60, id: 2, km: 30, minutes: 45 },
    { at: 120, id: 3, km: 3, minutes: 14 },
    { at: 180, id: 4, km: 26, minutes: 40 },
    { at: 240, id: 5, km: 3, minutes: 12 },
  ],
};

/* out
out  {"id": 1, "segment": 0, "off": 0}
out  {"id": 2, "segment": 1, "off": 0}
out  {"id": 3, "segment": 0, "off": 0.17}
out  {"id": 4, "segment": 1, "off": 0.43}
out  {"id": 5, "segment": 0, "off": 0.05}
*/
