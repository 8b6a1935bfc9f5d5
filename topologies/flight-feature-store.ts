import { featureRows, featurize, hours, impute, topology, validate } from 'millrace';
import { clickhouse } from 'millrace/connectors/clickhouse';
import { kafka } from 'millrace/connectors/kafka';
import { redis } from 'millrace/connectors/redis';
import { offlineColumns, onlineKey } from 'millrace/ml';
import { flightFeatures } from './flight-features.js';
import { arrivals, arrivedExpectations, dedupeFlights, departedExpectations, departures } from './flight-inputs.js';

/** The features of every flight as a store: what is known at departure, kept for training and for serving. */
export const flightFeatureStore = topology(
  'flight-feature-store',
  { deadLetters: kafka.deadLetterSink({ topic: 'flight-features.dead' }) },
  (t) => {
    // First, as in the topology that predicts: records of one moment meet in the order of the sources.
    const departed = t.source('departed', departures);
    const outcomes = t
      .source('arrived', arrivals)
      .via('dedupe-arrived', dedupeFlights)
      .via('validate-arrived', validate(arrivedExpectations));

    const rows = departed
      .via('dedupe', dedupeFlights)
      .via('validate', validate(departedExpectations))
      .via('impute', impute({ distance: 'median' }))
      .via('features', { outcomes }, featurize(flightFeatures))
      .via('rows', featureRows(flightFeatures));

    rows.to(
      'offline',
      clickhouse.tableSink({
        table: 'flight_features',
        columns: offlineColumns(flightFeatures),
        orderBy: ['entity', 'eventTime'],
        insertedAt: 'processedAt',
      }),
    );
    rows.to('online', redis.hashSink({ key: onlineKey(flightFeatures), ttl: hours(6) }));
  },
);
