import {
  dedupe,
  expectations,
  featurize,
  filter,
  hours,
  impute,
  infer,
  json,
  learn,
  map,
  millis,
  route,
  type Stream,
  topology,
  validate,
} from 'millrace';
import { clickhouse } from 'millrace/connectors/clickhouse';
import { kafka } from 'millrace/connectors/kafka';
import { redis } from 'millrace/connectors/redis';
import { type FeatureVector, featureView, ftrl, hashed, logisticRegression, numeric } from 'millrace/ml';

// Checked by the compiler alone: what is wired rightly compiles, and every wrong wiring below must not.

interface Trip {
  readonly tripId: string;
  readonly startedAt: number;
  readonly station: string | null;
  readonly distance: number | null;
}
interface Arrival {
  readonly tripId: string;
  readonly late: boolean;
}
interface Scored {
  readonly tripId: string;
  readonly station: string;
  readonly late: number;
}

const TripV1 = json<Trip>();
const ArrivalV1 = json<Arrival>();
const ScoredV1 = json<Scored>();

/** What the features need: nothing may be missing any more. */
interface Whole {
  readonly station: string;
  readonly distance: number;
}

const view = featureView({
  name: 'trips',
  version: 1,
  columns: {
    station: (trip: Whole) => trip.station,
    distance: (trip: Whole) => trip.distance,
  },
  features: { distance: numeric('distance'), station: hashed('station') },
});

const model = logisticRegression({ optimizer: ftrl({ alpha: 0.1 }) });
const risk = { model: 'risk.onnx', as: 'risk', batchMax: 64, waitMax: millis(5), providers: ['cpu'] } as const;
const late = {
  as: 'late',
  view,
  key: (trip: Trip) => trip.tripId,
  label: { key: (arrival: Arrival) => arrival.tripId, value: (arrival: Arrival) => arrival.late, wait: hours(24) },
  pendingMax: 1_000,
} as const;

/** Equal types, not merely assignable ones. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const holds = <_T extends true>() => {};

topology('trips', { deadLetters: kafka.deadLetterSink({ topic: 'trips.dead' }) }, (t) => {
  const trips = t.source(
    'trips',
    kafka.source({ topic: 'trips.v1', schema: TripV1, eventTime: (trip) => trip.startedAt }),
  );
  const arrivals = t.source('arrivals', kafka.source({ topic: 'arrivals.v1', schema: ArrivalV1 }));

  const sound = trips
    .via('dedupe', dedupe({ key: (trip) => trip.tripId, retention: hours(24), keysMax: 1_000 }))
    .via('validate', validate(expectations<Trip>().notNull('station').range('distance', 0, 1_000)));
  const whole = sound.via('impute', impute({ distance: 'median' }));
  const featured = whole.via('features', featurize(view));
  const learned = featured.via('model', { labels: arrivals }, learn(model, late));
  const scored = learned.via('risk', infer(risk));

  // Operators that enrich lose nothing, and narrow what they have made sure of.
  type ValueOf<S> = S extends Stream<infer T> ? T : never;
  type Final = ValueOf<typeof scored>;
  holds<Same<Final['tripId'], string>>();
  holds<Same<Final['station'], string>>();
  holds<Same<Final['distance'], number>>();
  holds<Same<Final['features'], FeatureVector>>();
  holds<Same<Final['late']['probability'], number>>();
  holds<Same<Final['risk']['score'], number>>();
  holds<Same<ValueOf<typeof sound>['distance'], number | null>>();

  const written = scored.via(
    'written',
    map((trip): Scored => ({ tripId: trip.tripId, station: trip.station, late: trip.late.probability })),
  );
  written.to('topic', kafka.sink({ topic: 'scored.v1', schema: ScoredV1, key: (s) => s.station }));
  written.to('hash', redis.hashSink({ key: (s) => s.tripId, ttl: hours(6) }));
  written.to(
    'table',
    clickhouse.tableSink({ table: 'scored', columns: { tripId: 'String', late: 'Float64' }, orderBy: ['tripId'] }),
  );
  const { far, otherwise } = whole.split('by-distance', route({ far: (trip) => trip.distance > 10 }));
  far
    .via(
      'named',
      filter((trip) => trip.station !== ''),
    )
    .to('far', kafka.sink({ topic: 'far.v1', schema: TripV1 }));
  otherwise.to('near', kafka.sink({ topic: 'near.v1', schema: TripV1 }));

  // @ts-expect-error a model needs features
  trips.via('risk', infer(risk));
  // @ts-expect-error so does a learner
  whole.via('model', { labels: arrivals }, learn(model, late));
  // @ts-expect-error the distance may be null
  sound.via('features', featurize(view));
  // @ts-expect-error the values are no Scored
  scored.to('topic', kafka.sink({ topic: 'scored.v1', schema: ScoredV1 }));
  // @ts-expect-error the name `risk` is taken
  scored.via('again', infer(risk));
  // @ts-expect-error the name `features` is taken
  featured.via('again', featurize(view));
  // @ts-expect-error a number is no Duration
  trips.via('dedupe', dedupe({ key: (trip) => trip.tripId, retention: 24, keysMax: 1 }));
  // @ts-expect-error no such field
  trips.via('dedupe', dedupe({ key: (trip) => trip.id, retention: hours(1), keysMax: 1 }));
  // @ts-expect-error no such field to expect anything of
  expectations<Trip>().notNull('stop');
  // @ts-expect-error the side input is called labels
  featured.via('model', { answers: arrivals }, learn(model, late));
  // @ts-expect-error labels of another type
  featured.via('model', { labels: trips }, learn(model, late));
  // @ts-expect-error no such column
  written.to('table', clickhouse.tableSink({ table: 'scored', columns: { fare: 'Float64' } }));
  // @ts-expect-error a learner has no place as a plain step
  featured.via('model', learn(model, late));
  // @ts-expect-error no such output
  whole.split('by-distance', route({ far: (trip) => trip.distance > 10 })).near;
});
