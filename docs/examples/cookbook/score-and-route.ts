import { featurize, infer, map, millis, route, topology } from 'millrace';
import { cyclic, featureView, numeric } from 'millrace/ml';
import { deadLetters, out, topic } from '../io.js';

interface Ride {
  readonly at: number;
  readonly id: number;
  readonly km: number;
}

const view = featureView({
  name: 'rides',
  version: 1,
  columns: { km: (ride: Ride) => ride.km, hour: (ride: Ride) => Math.floor(ride.at / 3_600) % 24 },
  features: { km: numeric('km', { center: 5, scale: 10 }), hour: cyclic('hour', 24) },
});

/** Scores rides with an ONNX model, and sends the risky ones elsewhere. */
export const example = topology('score-and-route', { deadLetters }, (t) => {
  const { risky, otherwise } = t
    .source('rides', topic<Ride>('rides'))
    .via('features', featurize(view))
    .via(
      'risk',
      infer({
        model: new URL('../../../test/inference/models/sigmoid.onnx', import.meta.url),
        as: 'risk',
        view,
        batchMax: 32,
        waitMax: millis(1),
        providers: ['cpu'],
      }),
    )
    .via(
      'scored',
      map(({ id, risk }) => ({ id, risk: Math.round((risk.score ?? 1) * 100) / 100 })),
    )
    .split('by-risk', route({ risky: ({ risk }) => risk >= 0.9 }));
  risky.to('review', out('review'));
  otherwise.to('out', out());
});

export const records = {
  rides: [
    { at: 0, id: 1, km: 55 },
    { at: 60, id: 2, km: 5 },
  ],
};

/* out
review  {"id": 1, "risk": 0.97}
out  {"id": 2, "risk": 0.73}
*/
