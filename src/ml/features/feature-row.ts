import { MillraceError } from '../../core/errors.js';
import type { FeatureVector } from '../../core/learner.js';
import { vectorDigest } from './digest.js';
import type { FeatureView } from './feature-view.js';

/** A vector as a feature store keeps it: one named number a dense place, the hashed coordinates as a list. */
export interface FeatureRow {
  /** Which entity, as text. */
  readonly entity: string;
  /** Event time of the record that the vector was made of, milliseconds since 1970. */
  readonly eventTime: number;
  /** The view's own hash: rows of another definition can be told apart. */
  readonly view: string;
  readonly digest: string;
  readonly hashed: readonly number[];
  readonly [feature: string]: string | number | readonly number[];
}

/** Columns of a stored view that are no features. */
const storeColumns = {
  entity: 'String',
  eventTime: 'DateTime64(3)',
  view: 'LowCardinality(String)',
  digest: 'String',
} as const;

/** The column of a dense place: `hour.0` is `hour_0`. */
export const columnOf = (denseName: string): string => denseName.replaceAll('.', '_');

/** The names of a view's dense places as columns, in order. */
export const denseColumns = ({ denseNames }: FeatureView): string[] => denseNames.map(columnOf);

/**
 * Columns for the table that keeps a view's rows for training: `Float32` keeps every bit of a dense feature.
 *
 * @example
 * rows.to('offline', clickhouse.tableSink({ table: 'flight_features', columns: offlineColumns(flightFeatures), orderBy: ['entity', 'eventTime'], insertedAt: 'processedAt' }));
 */
export function offlineColumns(view: FeatureView): Record<string, string> {
  const dense = denseColumns(view);
  const taken = dense.find((name, i) => name in reserved || dense.indexOf(name) !== i);
  if (taken !== undefined)
    throw new MillraceError('config', `a feature's column cannot be called ${taken}`, {
      where: view.name,
      hint: 'rename the feature: the store uses this name itself, or for another feature',
    });
  const hashed: Record<string, string> = view.hashedNames.length > 0 ? { hashed: 'Array(UInt32)' } : {};
  return { ...storeColumns, ...Object.fromEntries(dense.map((name) => [name, 'Float32'])), ...hashed };
}

const reserved: Readonly<Record<string, unknown>> = { ...storeColumns, hashed: '', processedAt: '' };

/**
 * The key under which the newest row of an entity is kept for serving.
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
