import { dedupe, expectations, featureRows, featurize, hours, impute, topology, validate } from 'millrace';
import { clickhouse } from 'millrace/connectors/clickhouse';
import { kafka } from 'millrace/connectors/kafka';
import { redis } from 'millrace/connectors/redis';
import { offlineColumns, onlineKey } from 'millrace/ml';
import { type FlightArrived, FlightArrivedV1 } from '../schemas/flight-arrived.v1.js';
import { type FlightDeparted, FlightDepartedV1 } from '../schemas/flight-departed.v1.js';
import { flightFeatures } from './flight-features.js';

const departedExpectations = expectations<FlightDeparted>()
  .notNull('origin', 'destination')
  .range('distance', 1, 12_000)
  .fresh((f) => f.departedAt, hours(12));

const arrivedExpectations = expectations<FlightArrived>().range('delayMinutes', -180, 2_000);

/** The features of every flight as a store: what is known at departure, kept for training and for serving. */
export const flightFeatureStore = topology(
  'flight-feature-store',
  { deadLetters: kafka.deadLetterSink({ topic: 'flight-features.dead' }) },
  (t) => {
    // First, as in the topology that predicts: records of one moment meet in the order of the sources.
    const departed = t.source(
      'departed',
      kafka.source({ topic: 'flights.departed.v1', schema: FlightDepartedV1, eventTime: (f) => f.departedAt }),
    );
    const outcomes = t
      .source(
        'arrived',
        kafka.source({ topic: 'flights.arrived.v1', schema: FlightArrivedV1, eventTime: (f) => f.arrivedAt }),
      )
      .via('dedupe-arrived', dedupe({ key: (a) => a.flightId, retention: hours(24), keysMax: 1_000_000 }))
      .via('validate-arrived', validate(arrivedExpectations));

    const rows = departed
      .via('dedupe', dedupe({ key: (f) => f.flightId, retention: hours(24), keysMax: 1_000_000 }))
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
