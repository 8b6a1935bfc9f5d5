import type { OpenProfile } from '../profiles/profiles.js';
import { type BatchRow, type BatchRowsOptions, batchRows } from './batch-rows.js';
import { ownTable, timeText } from './own-table.js';

const columns = {
  topology: 'LowCardinality(String)',
  run: 'UUID',
  since: "DateTime64(3, 'UTC')",
  until: "DateTime64(3, 'UTC')",
  model: 'LowCardinality(String)',
  version: 'LowCardinality(String)',
  provider: 'LowCardinality(String)',
  rowsMax: 'UInt32',
  batches: 'UInt64',
  rows: 'UInt64',
  waitMs: 'Float64',
  runMs: 'Float64',
  workerSeconds: 'Float64',
  costPer1000: 'Nullable(Float64)',
} as const satisfies Record<keyof BatchRow, string>;

/**
 * Keeps the batches of all models as rows of a table of ClickHouse, which is created if it is missing: see `batchRows`.
 *
 * @throws MillraceError `config` for a name that is no name of a table.
 */
export function inferenceTable(
  profile: Pick<OpenProfile, 'connect'>,
  table: string,
  options: BatchRowsOptions,
): { close(): Promise<void> } {
  // What replaces a row is the same time span of the same run, with what came later.
  const orderBy = ['topology', 'run', 'since', 'model', 'version', 'provider', 'rowsMax'] as const;
  const insert = ownTable(profile, { table, where: 'inferenceTable', columns, orderBy });
  return batchRows(options, `the table ${table}`, (rows) =>
    insert(rows.map((row) => ({ ...row, since: timeText(row.since), until: timeText(row.until) }))),
  );
}
