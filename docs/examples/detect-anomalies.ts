import { detectAnomalies, featurize, filter, map, topology } from 'millrace';
import { featureView, halfSpaceTrees, numeric } from 'millrace/ml';
import { deadLetters, out, topic } from './io.js';

interface Reading {
  readonly at: number;
  readonly sensor: string;
  readonly celsius: number;
  readonly bar: number;
}

const view = featureView({
  name: 'readings',
  version: 1,
  columns: { celsius: (reading: Reading) => reading.celsius, bar: (reading: Reading) => reading.bar },
  // From 0 to 1 within what the sensors can tell: what was never seen has a place, too.
  features: { celsius: numeric('celsius', { scale: 120 }), bar: numeric('bar', { scale: 10 }) },
});

/** Scores each reading, then learns from it unless its score is among the highest. */
export const example = topology('detect-anomalies', { deadLetters }, (t) => {
  t.source('readings', topic<Reading>('readings'))
    .via('features', featurize(view))
    .via(
      'anomalies',
      detectAnomalies(halfSpaceTrees({ trees: 25, height: 5, window: 50 }), {
        as: 'anomaly',
        view,
        learnBelowQuantile: 0.98,
      }),
    )
    .via(
      'marked',
      filter(({ anomaly }) => anomaly.anomalous),
    )
    .via(
      'shown',
      map(({ at, sensor, anomaly }) => ({ at, sensor, score: Math.round(anomaly.score * 100) / 100 })),
    )
    .to('out', out());
});

const usual = Array.from({ length: 200 }, (_, i) => ({
  at: i,
  sensor: 'pump',
  celsius: 60 + ((7 * i) % 20) / 4,
  bar: 3 + ((3 * i) % 20) / 20,
}));

export const records = {
  readings: [
    ...usual,
    { at: 200, sensor: 'pump', celsius: 90, bar: 3.5 },
    { at: 201, sensor: 'pump', celsius: 62, bar: 3.5 },
  ],
};

/* out
out  {"at": 100, "sensor": "pump", "score": 0.25}
out  {"at": 114, "sensor": "pump", "score": 0.26}
out  {"at": 120, "sensor": "pump", "score": 0.25}
out  {"at": 200, "sensor": "pump", "score": 0.76}
*/
