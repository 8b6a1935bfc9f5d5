// Checked by the compiler: the wirings without a mark must compile, those with one must not.
import {
  assignCluster,
  detectAnomalies,
  featurize,
  hours,
  learn,
  map,
  type Source,
  type Stream,
  selectBySuccessiveHalving,
  topology,
} from '../../src/index.js';
import {
  featureView,
  ftrl,
  halfSpaceTrees,
  hashed,
  kMeans,
  lastClass,
  linearRegression,
  logisticRegression,
  meanBy,
  numeric,
  pipe,
  rateBy,
  rolling,
  runningMean,
  sgd,
  softmaxRegression,
  standardScaler,
} from '../../src/ml.js';

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

    // What is added follows from the learner: a number, or a class and the scores of all.
    const labelOf = { key: (a: Arrived) => a.flightId, wait: hours(24) };
    const asked = { view, key: (f: Flight) => f.flightId, pendingMax: 1 };
    const minutes = featured.via(
      'minutes',
      { labels: arrived },
      learn(pipe(standardScaler(), linearRegression({ optimizer: sgd({ rate: 0.1 }) })), {
        ...asked,
        as: 'minutes',
        label: { ...labelOf, value: (a) => a.delay, weight: (a) => Math.abs(a.delay) },
        baselines: { mean: runningMean(), originMean: meanBy({ by: (f) => f.origin }) },
      }),
    );
    const classes = ['early', 'late'] as const;
    const when = minutes.via(
      'when',
      { labels: arrived },
      learn(softmaxRegression({ classes, optimizer: sgd({ rate: 0.1 }) }), {
        ...asked,
        as: 'when',
        label: { ...labelOf, value: (a) => (a.delay > 0 ? 'late' : 'early') },
        baselines: { last: lastClass() },
      }),
    );
    const said: Stream<number> = when.via(
      'said',
      map((f) => f.minutes.value + f.minutes.baselines.originMean + f.when.scores.late + f.when.scores.early),
    );
    const named: Stream<'early' | 'late'> = when.via(
      'named',
      map((f) => (f.when.scores.late > 0.9 ? f.when.baselines.last : f.when.label)),
    );
    const late = { ...labelOf, value: () => true };
    const linear = linearRegression({ optimizer: sgd({ rate: 1 }) });
    // @ts-expect-error a regression learns numbers
    learn(linear, { ...asked, as: 'x', label: late });
    const softmax = softmaxRegression({ classes, optimizer: sgd({ rate: 0.1 }) });
    // @ts-expect-error there is no such class
    learn(softmax, { ...asked, as: 'x', label: { ...labelOf, value: () => 'soon' } });
    // @ts-expect-error a mean is no baseline of true and false
    learn(model, { ...asked, as: 'x', label: late, baselines: { mean: runningMean() } });

    // Whether a record is anomalous is said where a quantile is given.
    const trees = pipe(standardScaler(), halfSpaceTrees());
    const marked: Stream<boolean> = featured
      .via('anomalies', detectAnomalies(trees, { as: 'anomaly', view, learnBelowQuantile: 0.99 }))
      .via(
        'marked',
        map((f) => f.anomaly.anomalous && f.anomaly.score > 0.9 && f.distance > 0),
      );
    const grouped: Stream<number> = featured
      .via('segments', assignCluster(kMeans({ clusters: 3 }), { as: 'segment', view }))
      .via(
        'grouped',
        map((f) => f.segment.cluster + f.segment.distance),
      );
    featured.via('scores', detectAnomalies(trees, { as: 'anomaly', view })).via(
      'unmarked',
      // @ts-expect-error nothing is marked without a quantile
      map((f) => f.anomaly.anomalous),
    );
    // @ts-expect-error it takes no learner with labels
    detectAnomalies(model, { as: 'anomaly', view });
    // @ts-expect-error an anomaly score names no cluster
    assignCluster(trees, { as: 'segment', view });

    // The key of a model is one of the record that was featurized.
    const own = { as: 'own', label: late, pendingMax: 1, view, key: (f: Flight) => f.flightId } as const;
    featured.via('own', { labels: arrived }, learn(model, { ...own, by: { key: (f) => f.origin, modelsMax: 9 } }));
    // @ts-expect-error there is no such field
    learn(model, { ...own, by: { key: (f) => f.pilot, modelsMax: 9 } });

    // A selection names its candidates, in what it adds and in its events.
    const candidates = { slow: logisticRegression({ optimizer: sgd({ rate: 0.01 }) }), fast: model };
    const raced = { ...own, rungLabels: 9 };
    const { predicted, eliminations } = featured.split(
      'selection',
      { labels: arrived },
      selectBySuccessiveHalving(candidates, raced),
    );
    const chosen: Stream<number> = predicted.via(
      'chosen',
      map((f) => (f.own.candidate === 'slow' ? f.own.probability : f.distance)),
    );
    const lost: Stream<'slow' | 'fast'> = eliminations.via(
      'lost',
      map(({ candidate }) => candidate),
    );
    eliminations.via(
      'none',
      // @ts-expect-error there is no such candidate
      map(({ candidate }) => candidate === 'medium'),
    );
    // @ts-expect-error one learns classes, the other true and false
    selectBySuccessiveHalving({ model, softmax }, raced);

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
    return { sums, said, named, marked, grouped, chosen, lost };
  });

// @ts-expect-error there is no such column
featureView({ name: 'x', version: 1, columns, features: { x: hashed('destination') } });
const delay = rolling({ value: 'delay', halfLife: hours(1) });
// @ts-expect-error a rolling feature needs outcomes
featureView({ name: 'x', version: 1, columns, features: { delay } });
