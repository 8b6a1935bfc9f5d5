import { isAbsolute, resolve } from 'node:path';
import type { FeatureView } from '../../ml/features/index.js';
import type { OpenProfile } from '../../profiles/profiles.js';
import { asOfSql, checkRows, FRESH, featureColumns } from './as-of.js';

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
  profile: Pick<OpenProfile, 'query' | 'exportParquet'>,
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
