import { dedupe, expectations, featureRows, featurize, hours, impute, map, topology, validate } from 'millrace';
import { clickhouse } from 'millrace/connectors/clickhouse';
import { kafka } from 'millrace/connectors/kafka';
import { type FeatureRow, offlineColumns } from 'millrace/ml';
import { type FlightArrived, FlightArrivedV1 } from '../../schemas/flight-arrived.v1.js';
import { type FlightDeparted, FlightDepartedV1 } from '../../schemas/flight-departed.v1.js';
import { flightFeatures } from '../../topologies/flight-features.js';

/** The feature store of the flights, with something wrong on the way into the table. */
const store = (table: string, skew: (row: FeatureRow) => FeatureRow) =>
  topology(table.replaceAll('_', '-'), { deadLetters: kafka.deadLetterSink({ topic: `${table}.dead` }) }, (t) => {
    const departed = t.source(
      'departed',
      kafka.source({ topic: 'flights.departed.v1', schema: FlightDepartedV1, eventTime: (f) => f.departedAt }),
    );
    const arrived = t.source(
      'arrived',
      kafka.source({ topic: 'flights.arrived.v1', schema: FlightArrivedV1, eventTime: (f) => f.arrivedAt }),
    );
    const outcomes = arrived
      .via('dedupe-arrived', dedupe({ key: (a) => a.flightId, retention: hours(24), keysMax: 1_000_000 }))
      .via('validate-arrived', validate(expectations<FlightArrived>().range('delayMinutes', -180, 2_000)));
    departed
      .via('dedupe', dedupe({ key: (f) => f.flightId, retention: hours(24), keysMax: 1_000_000 }))
      .via(
        'validate',
        validate(
          expectations<FlightDeparted>()
            .notNull('origin', 'destination')
            .range('distance', 1, 12_000)
            .fresh((f) => f.departedAt, hours(12)),
        ),
      )
      .via('impute', impute({ distance: 'median' }))
      .via('features', { outcomes }, featurize(flightFeatures))
      .via('rows', featureRows(flightFeatures))
      .via('skew', map(skew))
      .to(
        'offline',
        clickhouse.tableSink({
          table,
          columns: offlineColumns(flightFeatures),
          orderBy: ['entity', 'eventTime'],
          insertedAt: 'processedAt',
        }),
      );
  });

/** Another rounding: six digits instead of all bits. */
export const rounded = store('flight_features_rounded', (row) => ({
  ...row,
  delayOverall: Number((row.delayOverall as number).toPrecision(6)),
}));

/** A late update of every hundredth flight, as if one that arrived after its departure had been counted. */
export const updatedLate = store('flight_features_updated', (row) =>
  Number(row.entity) % 100 === 0 ? { ...row, lateAtOrigin: (row.lateAtOrigin as number) + 0.01 } : row,
);
