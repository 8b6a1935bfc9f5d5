import { isAbsolute, resolve } from 'node:path';
import type { ClickHouse } from '../../connectors/clickhouse/open.js';
import { MillraceError } from '../core/index.js';
import { denseColumns } from '../ml/features/feature-row.js';
import type { FeatureView } from '../ml/features/index.js';

// A point in time, in SQL: for each row of a query with `entity` and `time`, the last stored features of that entity that
// were not in its future.

export interface AsOf {
  readonly view: FeatureView;
  /** The table that the view's rows were written to. */
  readonly table: string;
  /** A query with the columns `entity` and `time`; the others pass through. */
  readonly rows: string;
  /** What to take of the joined features, of the columns of `f`; and of the row itself, `r`. */
  readonly select: readonly string[];
  /** A condition on the rows `r`. */
  readonly where?: string;
}

/**
 * Refuses a query without the columns `entity`, `time` and others that are needed, or whose times are not dates: a number
 * may be seconds or milliseconds, and the wrong guess takes features from the future.
 */
export async function checkRows(
  { query }: Pick<ClickHouse, 'query'>,
  rows: string,
  others: readonly string[] = [],
): Promise<void> {
  const columns = await query<{ name: string; type: string }>(`DESCRIBE TABLE (${rows})`);
  for (const column of ['entity', 'time', ...others])
    if (!columns.some((each) => each.name === column))
      throw new MillraceError('config', `the query has no column ${column}`, {
        hint: `name it in the query: SELECT ... AS ${column}`,
      });
  const type = columns.find((each) => each.name === 'time')?.type ?? '';
  if (/^(LowCardinality\()?(Nullable\()?Date/.test(type)) return;
  throw new MillraceError('config', `the column time is ${type}, not a date with a time`, {
    hint: 'convert it in the query: fromUnixTimestamp64Milli(time) for milliseconds, fromUnixTimestamp(time) for seconds',
  });
}

/** Features of another definition do not count, and those older than the view's ttl count as missing: all null. */
export function asOfSql({ view, table, rows, select, where = '1' }: AsOf): string {
  const ttlMs = view.ttl;
  const fresh = ttlMs === undefined ? '1' : `dateDiff('millisecond', f.eventTime, r.time) <= ${ttlMs}`;
  return `
    SELECT ${select.map((column) => column.replaceAll(FRESH, fresh)).join(', ')}
    FROM (
      SELECT toString(entity) AS entity, toDateTime64(time, 3) AS time, * EXCEPT (entity, time) FROM (${rows})
    ) AS r
    ASOF LEFT JOIN (SELECT * FROM ${name(table)} WHERE view = ${text(view.hash)}) AS f
    ON f.entity = r.entity AND f.eventTime <= r.time
    WHERE ${where}
    ORDER BY r.time, r.entity
    SETTINGS join_use_nulls = 1`;
}

/** In `select`: whether the features are there and young enough. */
export const FRESH = '{fresh}';

/** Every feature of the view as a column, null where there is none. */
function featureColumns(view: FeatureView): string[] {
  const hashed = view.hashedNames.length > 0 ? ['hashed'] : [];
  return [...denseColumns(view), ...hashed].map((column) =>
    // An array cannot be null: an empty one says that there is none.
    column === 'hashed'
      ? `if(${FRESH}, f.hashed, []) AS hashed`
      : `if(${FRESH}, f.${name(column)}, NULL) AS ${name(column)}`,
  );
}

export const name = (identifier: string): string => `\`${identifier.replaceAll('\\', '\\\\').replaceAll('`', '\\`')}\``;
export const text = (value: string): string => `'${value.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;

export interface TrainingSetOptions {
  readonly view: FeatureView;
  readonly table: string;
  /** A query with `entity`, `time` (when the prediction was or would have been made) and the label. */
  readonly labels: string;
  readonly output: string;
}

export interface TrainingSet {
  readonly file: string;
  readonly rows: number;
  /** Rows whose entity had no features by then, or only such as were too old. */
  readonly withoutFeatures: number;
}

/**
 * Writes labels and what was known when each prediction was made, as Parquet: `entity`, `time`, the labels' own columns,
 * `featureTime`, then every feature. A row knows nothing later than its own time, however late its label came.
 */
export async function exportTrainingSet(
  profile: Pick<ClickHouse, 'query' | 'exportParquet'>,
  { view, table, labels, output }: TrainingSetOptions,
): Promise<TrainingSet> {
  await checkRows(profile, labels);
  const file = isAbsolute(output) ? output : resolve(output);
  const featureTime = `if(${FRESH}, f.eventTime, NULL) AS featureTime`;
  const select = ['r.*', featureTime, ...featureColumns(view)];
  await profile.exportParquet(asOfSql({ view, table, rows: labels, select }), file);
  const [counts] = await profile.query<{ rows: number; withoutFeatures: number }>(
    `SELECT count() AS rows, countIf(featureTime IS NULL) AS withoutFeatures
     FROM (${asOfSql({ view, table, rows: labels, select: [featureTime] })})`,
  );
  return { file, rows: counts?.rows ?? 0, withoutFeatures: counts?.withoutFeatures ?? 0 };
}
