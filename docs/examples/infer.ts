import { featurize, infer, map, millis, topology } from 'millrace';
import { cyclic, featureView, numeric } from 'millrace/ml';
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
  columns: { km: (ride: Ride) => ride.km, hour: (ride: Ride) => Math.floor(ride.at / 3_600) % 24 },
  features: { km: numeric('km', { center: 5, scale: 10 }), hour: cyclic('hour', 24) },
});

/** Scores features with an ONNX model, in batches. */
export const example = topology('infer', { deadLetters }, (t) => {
  t.source('rides', topic<Ride>('rides'))
    .via('features', featurize(view))
    .via(
      'risk',
      infer({
        model: new URL('../../test/inference/models/sigmoid.onnx', import.meta.url),
        as: 'risk',
        view,
        batchMax: 32,
        waitMax: millis(1),
        providers: ['cpu'],
      }),
    )
    .via(
      'shown',
      map(({ id, risk }) => ({ id, risk: Math.round((risk.score ?? 0) * 100) / 100, degraded: risk.degraded })),
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
out  {"id": 1, "risk": 0.82, "degraded": null}
out  {"id": 2, "risk": 0.73, "degraded": null}
*/
