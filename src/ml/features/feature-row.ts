import { MillraceError } from '../../core/errors.js';
import type { FeatureVector } from '../../core/learner.js';
import { vectorDigest } from './digest.js';
import type { FeatureView } from './feature-view.js';

/** A vector as a row of a feature store: a named number per dense feature, and the hashed coordinates as a list. */
export interface FeatureRow {
  /** The key of the entity, as text. */
  readonly entity: string;
  /** Event time of the record of the vector, milliseconds since 1970. */
  readonly eventTime: number;
  /** The hash of the view, which identifies rows of another version. */
  readonly view: string;
  readonly digest: string;
  readonly hashed: readonly number[];
  readonly [feature: string]: string | number | readonly number[];
}

/** Columns of a stored view that are not features. */
const storeColumns = {
  entity: 'String',
  eventTime: 'DateTime64(3)',
  view: 'LowCardinality(String)',
  digest: 'String',
} as const;

/** The column of a dense feature: `hour.0` is `hour_0`. */
export const columnOf = (denseName: string): string => denseName.replaceAll('.', '_');

/** The columns of a view's dense features, in order. */
export const denseColumns = ({ denseNames }: FeatureView): string[] => denseNames.map(columnOf);

/**
 * The columns of the table that stores the rows of a view for training. `Float32` keeps every bit of a dense feature.
 *
 * @example
 * rows.to('offline', clickhouse.tableSink({ table: 'flight_features', columns: offlineColumns(flightFeatures), orderBy: ['entity', 'eventTime'], insertedAt: 'processedAt' }));
 */
export function offlineColumns(view: FeatureView): Record<string, string> {
  const dense = denseColumns(view);
  const taken = dense.find((name, i) => name in reserved || dense.indexOf(name) !== i);
  if (taken !== undefined)
    throw new MillraceError('config', `the column name ${taken} is taken`, {
      where: view.name,
      hint: 'rename the feature: the store itself or another feature uses this name',
    });
  const hashed: Record<string, string> = view.hashedNames.length > 0 ? { hashed: 'Array(UInt32)' } : {};
  return { ...storeColumns, ...Object.fromEntries(dense.map((name) => [name, 'Float32'])), ...hashed };
}

const reserved: Readonly<Record<string, unknown>> = { ...storeColumns, hashed: '', processedAt: '' };

/**
 * The key under which the newest row of an entity is stored for serving.
 *
 * @example rows.to('online', redis.hashSink({ key: onlineKey(flightFeatures), ttl: hours(6) })); // HGETALL flights:ATL
 */
export const onlineKey =
  ({ name }: FeatureView) =>
  ({ entity }: Pick<FeatureRow, 'entity'>): string =>
    `${name}:${entity}`;

/** Opens a view's way from vectors to rows. */
export function openRows(
  view: FeatureView,
): (entity: string | number, eventTimeMs: number, features: FeatureVector) => FeatureRow {
  const names = denseColumns(view);
  return (entity, eventTime, features) => {
    const row: Record<string, string | number | readonly number[]> = {
      entity: String(entity),
      eventTime,
      view: features.hash,
      digest: vectorDigest(features),
    };
    for (let i = 0; i < names.length; i++) row[names[i] as string] = features.dense[i] as number;
    row.hashed = Array.from(features.indices);
    return row as FeatureRow;
  };
}
