import type { Aggregate } from '../../aggregates/index.js';
import { MillraceError } from '../../core/errors.js';

/** What `evaluationSql` asks of a table of evaluation rows. */
export interface EvaluationQuery {
  readonly table: string;
  /** SQL expressions over the columns of the table, by name: each of their values gets a row. Without any the whole is one row. */
  readonly by?: Readonly<Record<string, string>>;
  /** The rows of the table that count: SQL over its columns (default: `slice = 'all'`). Of several slices each prediction counts in each. */
  readonly where?: string;
}

/** A text between quotes. */
const quoted = (text: string, quote: '`' | "'"): string =>
  `${quote}${text.replaceAll('\\', '\\\\').replaceAll(quote, `\\${quote}`)}${quote}`;
const named = (name: string): string => quoted(name, '`');

/**
 * A query of ClickHouse that gives the metrics of any whole, over tasks, slices, model versions and windows, from a table of rows of `evaluate`
 * with the option `sums`: as if one task had seen all of it. Beside the metrics it has `predicted`, `labelled`, `assumed`, `corrected` and
 * `coverage`. It may be the `as` of a `clickhouse.view`.
 *
 * @example
 * evaluationSql({ loss: logLoss(), auc: rocAuc() }, {
 *   table: 'quality',
 *   where: "slice = 'origin'",
 *   by: { origin: 'value', week: 'toStartOfWeek(fromUnixTimestamp64Milli(startMs))' },
 * });
 *
 * The newest row of each task, slice, version and window counts; rows that were written twice count once. The metrics must be those of `evaluate`,
 * with the same options. Counts are exact, sums are to rounding (1e-9; `r2` loses digits where the mean is large beside the deviation).
 *
 * @throws MillraceError `config` for an aggregate that is no metric of one number.
 */
export function evaluationSql(
  metrics: Readonly<Record<string, Aggregate<never, unknown>>>,
  { table, by = {}, where = "slice = 'all'" }: EvaluationQuery,
): string {
  const names = Object.keys(metrics);
  const groups = Object.entries(by);
  const sumsOf = (name: string): string => named(`sums of ${name}`);
  const shown = groups.map(([name]) => named(name));
  const counts = ['predicted', 'labelled', 'assumed', 'corrected'];
  const read = names.map((name) => {
    const sql = metrics[name]?.additive?.sql;
    if (sql !== undefined) return `${sql(sumsOf(name))} AS ${named(name)}`;
    throw new MillraceError('config', `there is no SQL of '${name}' (${metrics[name]?.kind})`, {
      where: 'evaluationSql',
      hint: 'give metrics of `millrace/ml` whose result is one number; sums of others are in the column `sums`',
    });
  });
  const place = ['task', 'slice', 'value', 'version', 'startMs'];
  return `WITH newest AS (
  SELECT ${place.join(', ')}, max(endMs) AS endMs, max(atMs) AS atMs,
    ${[...counts, 'sums'].map((name) => `argMax(t.${name}, t.atMs) AS ${name}`).join(', ')}
  FROM ${named(table)} AS t WHERE ${where} GROUP BY ${place.join(', ')}
), whole AS (
  SELECT ${[
    ...groups.map(([name, sql]) => `${sql} AS ${named(name)}`),
    ...counts.map((name) => `sum(newest.${name}) AS ${named(name)}`),
    ...names.map((name) => `sumForEach(newest.sums[${quoted(name, "'")}]) AS ${sumsOf(name)}`),
  ].join(',\n    ')}
  FROM newest${groups.length === 0 ? '' : ` GROUP BY ${shown.join(', ')}`}
)
SELECT ${[...shown, ...counts, 'labelled / predicted AS coverage', ...read].join(',\n  ')}
FROM whole`;
}
