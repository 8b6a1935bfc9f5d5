import {
  days,
  featurize,
  hours,
  impute,
  innerJoin,
  json,
  learn,
  leftJoinTable,
  map,
  millis,
  table,
  topology,
  validate,
  window,
} from 'millrace';
import { clickhouse } from 'millrace/connectors/clickhouse';
import { kafka } from 'millrace/connectors/kafka';
import { ftrl, logisticRegression, rateBy, vectorDigest } from 'millrace/ml';
import { count, hopping, mean, min, onUpdate, sliding, tumbling } from 'millrace/window';
import { departureTimes } from './departure-times.js';
import { type Flight, localHour } from './flight-features.js';
import { arrivals, arrivedExpectations, dedupeFlights, departedExpectations, departures } from './flight-inputs.js';
import {
  type Arrivals,
  day,
  flightWindowFeatures,
  nightfall,
  type RouteTimes,
  recent,
} from './flight-window-features.js';

/** A flight that has arrived, and where it went. */
interface Landed {
  readonly origin: string;
  readonly destination: string;
  readonly delayMinutes: number;
}

export interface WindowPrediction {
  readonly flightId: number;
  readonly origin: string;
  readonly departedAt: number;
  readonly late: number;
  readonly hourRate: number;
  readonly modelVersion: string;
  readonly featuresDigest: string;
}

const routeOf = ({ origin, destination }: { readonly origin: string; readonly destination: string }) =>
  `${origin} ${destination}`;

const routesMax = 10_000;
const airportsMax = 1_000;

const ofArrivals = {
  flights: count(),
  // Clipped, so that one flight that is a day late does not dominate the mean of its airport.
  delay: mean((f: Landed) => Math.max(-30, Math.min(180, f.delayMinutes))),
  late: mean((f: Landed) => (f.delayMinutes >= 15 ? 1 : 0)),
};
const ofDepartures = { firstMs: min((f: Flight) => f.departedAt), times: departureTimes() };

/** An upsert of the newest row of each key, from any window. */
const newest = <Row extends { readonly key: string }>() => map((row: Row) => ({ key: row.key, value: row }));

/** Like `flight-delays`, with features from windows over earlier flights. A departure is joined with the windows as they were at its time. */
export const flightWindows = topology(
  'flight-windows',
  {
    deadLetters: kafka.deadLetterSink({ topic: 'flight-windows.dead' }),
    metrics: clickhouse.metricsSink({ table: 'flight_windows_metrics' }),
  },
  (t) => {
    const departed = t
      .source('departed', departures)
      .via('dedupe', dedupeFlights)
      .via('validate', validate(departedExpectations))
      .via('impute', impute({ distance: 'median' }));
    const arrived = t
      .source('arrived', arrivals)
      .via('dedupe-arrived', dedupeFlights)
      .via('validate-arrived', validate(arrivedExpectations));

    const landed = departed.via(
      'landed',
      { right: arrived },
      innerJoin({
        keys: { left: (f) => f.flightId, right: (a) => a.flightId },
        within: { before: millis(0), after: hours(24) },
        combine: ({ origin, destination }, { delayMinutes }): Landed => ({ origin, destination, delayMinutes }),
        entriesMax: 200_000,
      }),
    );

    const arrivalsBy = (id: string, key: (f: Landed) => string, keysMax: number) =>
      landed
        .via(id, window({ key, window: sliding(recent), aggregate: ofArrivals, keysMax }))
        .via(`${id}-newest`, newest())
        .via(`${id}-table`, table<Arrivals>({ keysMax }));
    const byOrigin = arrivalsBy('by-origin', (f) => f.origin, airportsMax);
    const byDestination = arrivalsBy('by-destination', (f) => f.destination, airportsMax);
    const byRoute = landed
      .via(
        'by-route',
        window({
          key: (f) => routeOf(f),
          window: hopping({ size: day, every: hours(1) }),
          aggregate: ofArrivals,
          keysMax: routesMax,
        }),
      )
      .via('by-route-newest', newest())
      .via('by-route-table', table<Arrivals>({ keysMax: routesMax }));

    const usual = departed
      .via(
        'usual',
        window({
          key: (f) => routeOf(f),
          window: hopping({ size: days(14), every: days(1), offset: nightfall }),
          aggregate: ofDepartures,
          keysMax: routesMax,
        }),
      )
      .via('usual-newest', newest())
      .via('usual-table', table<RouteTimes>({ keysMax: routesMax }));
    const today = departed
      .via(
        'today',
        window({
          key: (f) => routeOf(f),
          window: tumbling(days(1), { offset: nightfall }),
          aggregate: ofDepartures,
          emit: onUpdate(),
          keysMax: routesMax,
        }),
      )
      .via(
        'today-newest',
        map(({ after }) => ({ key: after?.key ?? '', value: after })),
      )
      .via('today-table', table<RouteTimes>({ keysMax: routesMax }));

    const pendingMax = 10_000;
    const bounds = (keysMax: number) => ({ keysMax, pendingMax });
    const inContext = departed
      .via(
        'with-usual',
        { table: usual },
        leftJoinTable({ key: (f) => routeOf(f), combine: (f, row) => ({ ...f, usual: row }), ...bounds(routesMax) }),
      )
      .via(
        'with-today',
        { table: today },
        leftJoinTable({ key: (f) => routeOf(f), combine: (f, row) => ({ ...f, today: row }), ...bounds(routesMax) }),
      )
      .via(
        'from-origin',
        { table: byOrigin },
        leftJoinTable({
          key: (f) => f.origin,
          combine: (f, row) => ({ ...f, fromOrigin: row }),
          ...bounds(airportsMax),
        }),
      )
      .via(
        'to-destination',
        { table: byDestination },
        leftJoinTable({
          key: (f) => f.destination,
          combine: (f, row) => ({ ...f, toDestination: row }),
          ...bounds(airportsMax),
        }),
      )
      .via(
        'to-origin',
        { table: byDestination },
        leftJoinTable({ key: (f) => f.origin, combine: (f, row) => ({ ...f, toOrigin: row }), ...bounds(airportsMax) }),
      )
      .via(
        'on-route',
        { table: byRoute },
        leftJoinTable({ key: (f) => routeOf(f), combine: (f, row) => ({ ...f, onRoute: row }), ...bounds(routesMax) }),
      );

    const predictions = inContext
      .via('features', featurize(flightWindowFeatures))
      .via(
        'delay-model',
        { labels: arrived },
        learn(logisticRegression({ optimizer: ftrl({ alpha: 0.2 }) }), {
          as: 'lateness',
          view: flightWindowFeatures,
          key: (f) => f.flightId,
          label: { key: (a) => a.flightId, value: (a) => a.delayMinutes >= 15, wait: hours(24) },
          pendingMax: 100_000,
          baselines: { hourRate: rateBy({ by: localHour }) },
        }),
      )
      .via(
        'prediction',
        map(
          (f): WindowPrediction => ({
            flightId: f.flightId,
            origin: f.origin,
            departedAt: f.departedAt,
            late: f.lateness.probability,
            hourRate: f.lateness.baselines.hourRate,
            modelVersion: f.lateness.modelVersion,
            featuresDigest: vectorDigest(f.features),
          }),
        ),
      );
    predictions.to(
      'predictions',
      kafka.sink({ topic: 'flight-windows.predictions.v1', schema: json(), key: (p) => p.origin }),
    );
    predictions.to(
      'history',
      clickhouse.tableSink({
        table: 'flight_windows_predictions',
        columns: {
          flightId: 'Int64',
          origin: 'LowCardinality(String)',
          departedAt: 'DateTime64(3)',
          late: 'Float64',
          hourRate: 'Float64',
          modelVersion: 'LowCardinality(String)',
          featuresDigest: 'String',
        },
        orderBy: ['departedAt'],
      }),
    );
  },
);
