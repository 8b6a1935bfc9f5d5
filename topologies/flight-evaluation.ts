import { days, evaluate, featurize, hours, impute, json, learn, map, topology, validate } from 'millrace';
import { clickhouse } from 'millrace/connectors/clickhouse';
import { kafka } from 'millrace/connectors/kafka';
import { redis } from 'millrace/connectors/redis';
import {
  accuracy,
  brier,
  calibrationError,
  evaluationColumns,
  fBeta,
  ftrl,
  logisticRegression,
  logLoss,
  rocAuc,
} from 'millrace/ml';
import { flightFeatures, localHour } from './flight-features.js';
import { arrivals, arrivedExpectations, dedupeFlights, departedExpectations, departures } from './flight-inputs.js';

/** Metrics of the probabilities (`loss`, `brier`, `calibration`), of the ranking (`auc`) and of decisions at a threshold (`right`, `f1`). */
export const flightMetrics = {
  loss: logLoss(),
  brier: brier(),
  auc: rocAuc({ bins: 128 }),
  right: accuracy({ threshold: 0.25 }),
  f1: fBeta({ threshold: 0.25 }),
  calibration: calibrationError({ bins: 10 }),
} as const;

const figure = 'Nullable(Float64)';

/**
 * Predicts at departure whether a flight will be late. Evaluates every prediction after the arrival of the flight, by origin, by local hour
 * and by version of the model. An arrival may be corrected for two days. Predictions and scores go to Kafka, Redis and ClickHouse.
 */
export const flightEvaluation = topology(
  'flight-evaluation',
  {
    deadLetters: kafka.deadLetterSink({ topic: 'flight-evaluation.dead' }),
    metrics: [
      clickhouse.metricsSink({ table: 'flight_evaluation_metrics' }),
      redis.metricsSink({ prefix: 'flight-metrics:', ttl: days(7) }),
    ],
  },
  (t) => {
    const departed = t.source('departed', departures);
    // No dedupe: a second arrival of a flight is a correction.
    const arrived = t.source('arrived', arrivals).via('validate-arrived', validate(arrivedExpectations));

    const predictions = departed
      .via('dedupe', dedupeFlights)
      .via('validate', validate(departedExpectations))
      .via('impute', impute({ distance: 'median' }))
      .via('features', { outcomes: arrived }, featurize(flightFeatures))
      .via(
        'delay-model',
        { labels: arrived },
        learn(logisticRegression({ optimizer: ftrl({ alpha: 0.2 }) }), {
          as: 'late',
          view: flightFeatures,
          key: (f) => f.flightId,
          label: { key: (a) => a.flightId, value: (a) => a.delayMinutes >= 15, wait: hours(24) },
          pendingMax: 100_000,
          versionEveryLabels: 10_000,
        }),
      )
      .via(
        'prediction',
        map((f) => ({
          flightId: f.flightId,
          origin: f.origin,
          destination: f.destination,
          departedAt: f.departedAt,
          localHour: localHour(f),
          late: f.late.probability,
          modelVersion: f.late.modelVersion,
        })),
      );

    const quality = predictions.via(
      'quality',
      { labels: arrived },
      evaluate({
        prediction: { key: (p) => p.flightId, value: (p) => p.late, version: (p) => p.modelVersion },
        label: { key: (a) => a.flightId, value: (a) => a.delayMinutes >= 15 },
        wait: hours(24),
        correctable: days(2),
        metrics: flightMetrics,
        // These two also go to the metrics sinks of the topology.
        measured: ['loss', 'auc'],
        // From the sums of a row, SQL computes metrics over several tasks, slices or days.
        sums: true,
        slices: { origin: (p) => p.origin, hour: (p) => p.localHour },
        slicesMax: 400,
        every: days(1),
        pendingMax: 200_000,
      }),
    );

    predictions.to(
      'predictions',
      kafka.sink({ topic: 'flight-evaluation.predictions', schema: json(), key: (p) => p.origin }),
    );
    predictions.to('online', redis.hashSink({ key: (p) => `flight-evaluation:${p.flightId}`, ttl: hours(6) }));
    predictions.to(
      'history',
      clickhouse.tableSink({
        table: 'flight_evaluation_predictions',
        columns: {
          flightId: 'Int64',
          origin: 'LowCardinality(String)',
          destination: 'LowCardinality(String)',
          departedAt: 'DateTime64(3)',
          localHour: 'UInt8',
          late: 'Float64',
          modelVersion: 'LowCardinality(String)',
        },
        orderBy: ['departedAt'],
      }),
    );

    // Kafka and Redis get the metrics without the sums.
    const scores = quality.via(
      'score',
      map(({ sums: _, ...score }) => score),
    );
    scores.to('scores', kafka.sink({ topic: 'flight-evaluation.scores', schema: json(), key: (s) => s.slice }));
    // Keeps the newest window of each slice and version: a label that corrects an older window does not overwrite it.
    scores.to(
      'newest',
      redis.hashSink({
        key: (s) => `flight-quality:${s.task}:${s.slice}:${s.value}:${s.version}`,
        ttl: days(7),
        newest: 'startMs',
      }),
    );
    quality.to(
      'quality-table',
      clickhouse.tableSink({
        table: 'flight_quality',
        columns: {
          ...evaluationColumns,
          loss: figure,
          brier: figure,
          auc: figure,
          right: figure,
          f1: figure,
          calibration: figure,
        },
        orderBy: ['slice', 'startMs'],
      }),
    );
  },
);
