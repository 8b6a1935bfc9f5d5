import { dedupe, featurize, hours, impute, infer, learn, map, millis, topology, validate } from 'millrace';
import { clickhouse } from 'millrace/connectors/clickhouse';
import { kafka } from 'millrace/connectors/kafka';
import { redis } from 'millrace/connectors/redis';
import { ftrl, lastClass, logisticRegression, majority, rateBy, vectorDigest } from 'millrace/ml';
import { FlightArrivedV1 } from '../schemas/flight-arrived.v1.js';
import { FlightDepartedV1 } from '../schemas/flight-departed.v1.js';
import { type Prediction, PredictionV1 } from '../schemas/prediction.v1.js';
import { flightFeatures, localHour } from './flight-features.js';
import { arrivedExpectations, departedExpectations } from './flight-inputs.js';

/**
 * Predicts at departure whether a flight will arrive 15 minutes late or more. Two models answer: one that learns from flights as they
 * arrive, and an ONNX model that was trained before.
 *
 * In every week after the first, the log loss of the model that learns is 10 % below that of the best baseline, the late share of the hour.
 */
export const flightDelays = topology(
  'flight-delays',
  {
    deadLetters: kafka.deadLetterSink({ topic: 'flights.dead' }),
    metrics: clickhouse.metricsSink({ table: 'metrics' }),
  },
  (t) => {
    const departed = t.source(
      'departed',
      kafka.source({ topic: 'flights.departed.v1', schema: FlightDepartedV1, eventTime: (f) => f.departedAt }),
    );
    // Flights that have arrived are the labels of the model, and the outcomes that rolling features look back on.
    const arrived = t
      .source(
        'arrived',
        kafka.source({ topic: 'flights.arrived.v1', schema: FlightArrivedV1, eventTime: (f) => f.arrivedAt }),
      )
      .via('dedupe-arrived', dedupe({ key: (a) => a.flightId, retention: hours(24), keysMax: 1_000_000 }))
      .via('validate-arrived', validate(arrivedExpectations));

    const scored = departed
      .via('dedupe', dedupe({ key: (f) => f.flightId, retention: hours(24), keysMax: 1_000_000 }))
      .via('validate', validate(departedExpectations))
      .via('impute', impute({ distance: 'median' }))
      .via('features', { outcomes: arrived }, featurize(flightFeatures))
      .via(
        'delay-model',
        { labels: arrived },
        // Adds `late`: the probability and the baselines. Learns when the arrival of the same flight comes, up to a day later.
        learn(logisticRegression({ optimizer: ftrl({ alpha: 0.2 }) }), {
          as: 'late',
          view: flightFeatures,
          key: (f) => f.flightId,
          label: { key: (a) => a.flightId, value: (a) => a.delayMinutes >= 15, wait: hours(24) },
          pendingMax: 100_000,
          // Simple predictions that the model must beat: the late share of the hour, the last label, the most frequent label.
          baselines: { hourRate: rateBy({ by: localHour }), lastClass: lastClass(), majority: majority() },
        }),
      )
      .via(
        'risk',
        // Adds `risk`. A batch waits for at most 256 rows and 5 ms while another one is computed.
        infer({
          model: new URL('../models/risk/risk.onnx', import.meta.url),
          as: 'risk',
          view: flightFeatures,
          batchMax: 256,
          waitMax: millis(5),
          providers: ['cpu'],
        }),
      );

    const predictions = scored.via(
      'prediction',
      map(
        (f): Prediction => ({
          flightId: f.flightId,
          origin: f.origin,
          destination: f.destination,
          departedAt: f.departedAt,
          late: f.late.probability,
          hourRate: f.late.baselines.hourRate,
          lastClass: f.late.baselines.lastClass,
          majority: f.late.baselines.majority,
          modelVersion: f.late.modelVersion,
          risk: f.risk.score,
          riskModel: f.risk.model,
          degraded: f.risk.degraded,
          featuresDigest: vectorDigest(f.features),
        }),
      ),
    );

    // The origin is the key of all topics, so flights of an airport meet in one task.
    predictions.to('predictions', kafka.sink({ topic: 'predictions.v1', schema: PredictionV1, key: (p) => p.origin }));
    predictions.to('online', redis.hashSink({ key: (p) => `flight:${p.flightId}`, ttl: hours(6) }));
    predictions.to(
      'history',
      clickhouse.tableSink({
        table: 'predictions',
        columns: {
          flightId: 'Int64',
          origin: 'LowCardinality(String)',
          destination: 'LowCardinality(String)',
          departedAt: 'DateTime64(3)',
          late: 'Float64',
          hourRate: 'Float64',
          lastClass: 'Float64',
          majority: 'Float64',
          modelVersion: 'LowCardinality(String)',
          risk: 'Nullable(Float64)',
          riskModel: 'LowCardinality(String)',
          degraded: 'LowCardinality(Nullable(String))',
          featuresDigest: 'String',
        },
        orderBy: ['departedAt'],
      }),
    );
    arrived.to(
      'arrivals',
      clickhouse.tableSink({
        table: 'arrivals',
        columns: { flightId: 'Int64', arrivedAt: 'DateTime64(3)', delayMinutes: 'Int32' },
        orderBy: ['arrivedAt'],
      }),
    );
  },
);
