// Checked by the compiler: the wirings without a mark must compile, those with one must not.
import { featurize, hours, learn, map, type Source, type Stream, topology } from '../../src/index.js';
import { featureView, ftrl, hashed, lastClass, logisticRegression, numeric, rateBy, rolling } from '../../src/ml.js';

interface Flight {
  readonly flightId: number;
  readonly origin: string;
  readonly distance: number;
}
interface Arrived {
  readonly flightId: number;
  readonly delay: number;
}

const columns = { origin: (f: Flight) => f.origin, distance: (f: Flight) => f.distance };
const view = featureView({
  name: 'flights',
  version: 1,
  columns,
  outcome: {
    key: (f: Flight) => f.flightId,
    outcomeKey: (a: Arrived) => a.flightId,
    values: { delay: (a: Arrived) => a.delay },
    wait: hours(1),
    pendingMax: 3,
  },
  features: {
    distance: numeric('distance'),
    origin: hashed('origin'),
    delay: rolling({ by: 'origin', value: 'delay', halfLife: hours(1) }),
  },
});

const model = logisticRegression({ optimizer: ftrl({ alpha: 0.1 }) });
const lateness = learn(model, {
  as: 'late',
  view,
  key: (f: Flight) => f.flightId,
  label: { key: (a: Arrived) => a.flightId, value: (a) => a.delay > 15, wait: hours(24) },
  pendingMax: 1,
});

export const wirings = (sources: { departed: Source<Flight>; arrived: Source<Arrived> }) =>
  topology('wirings', { deadLetters: null as never }, (t) => {
    const departed = t.source('departed', sources.departed);
    const arrived = t.source('arrived', sources.arrived);
    const featured = departed.via('features', { outcomes: arrived }, featurize(view));

    // Callbacks infer their arguments from what stands before them; every field added is there afterwards.
    const scored = featured.via(
      'model',
      { labels: arrived },
      learn(model, {
        as: 'late',
        view,
        key: (f) => f.flightId,
        label: { key: (a) => a.flightId, value: (a) => a.delay > 15, wait: hours(24) },
        pendingMax: 1,
        baselines: { rate: rateBy({ by: (f) => f.origin }), last: lastClass() },
      }),
    );
    const sums: Stream<number> = scored.via(
      'sum',
      map(
        (f) =>
          f.late.baselines.rate + f.late.baselines.last + f.late.probability + f.features.dense.length + f.distance,
      ),
    );

    // @ts-expect-error there is no such baseline
    map((f: typeof scored extends Stream<infer T> ? T : never) => f.late.baselines.median);
    // @ts-expect-error without features there is nothing to learn from
    departed.via('model', { labels: arrived }, lateness);
    // @ts-expect-error `late` is taken
    scored.via('model', { labels: arrived }, lateness);
    // @ts-expect-error `features` is taken
    scored.via('features', { outcomes: arrived }, featurize(view));
    // @ts-expect-error these are no outcomes
    departed.via('features', { outcomes: departed }, featurize(view));
    return sums;
  });

// @ts-expect-error there is no such column
featureView({ name: 'x', version: 1, columns, features: { x: hashed('destination') } });
const delay = rolling({ value: 'delay', halfLife: hours(1) });
// @ts-expect-error a rolling feature needs outcomes
featureView({ name: 'x', version: 1, columns, features: { delay } });
