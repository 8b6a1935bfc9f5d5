import { definition as clickhouse } from '../../connectors/clickhouse/definition.js';
import { MillraceError } from '../core/errors.js';
import type { OpenProfile } from '../profiles/profiles.js';
import type { AlertNotice } from '../server/alerts/start.js';
import { retry } from '../util/retry.js';

const columns = {
  id: 'String',
  topology: 'LowCardinality(String)',
  alert: 'String',
  state: 'LowCardinality(String)',
  severity: 'LowCardinality(String)',
  since: "DateTime64(3, 'UTC')",
  value: 'Nullable(Float64)',
  why: 'String',
} as const satisfies Record<keyof AlertNotice, string>;

/**
 * Keeps alerts as rows of a table of ClickHouse, which is created if it is missing. A row that is written twice replaces itself: read the
 * table with `FINAL`. The engine is opened with the first alert, and asked again for about a minute if it does not answer.
 *
 * @throws MillraceError `config` for a name that is no name of a table.
 */
export function alertTable(
  profile: Pick<OpenProfile, 'connect'>,
  table: string,
): (notice: AlertNotice) => Promise<void> {
  if (!/^[a-z_]\w*$/i.test(table)) {
    const hint = 'use letters, digits and underscores';
    throw new MillraceError('config', `'${table}' cannot be the name of a table`, { where: 'alertTable', hint });
  }
  const named = Object.entries(columns).map(([name, type]) => `${name} ${type}`);
  return ({ value = null, since, ...rest }) =>
    retry(
      async () => {
        const { tables } = await profile.connect(clickhouse);
        await tables.command(
          `CREATE TABLE IF NOT EXISTS ${table} (${named.join(', ')}) ENGINE = ReplacingMergeTree ORDER BY (topology, since, id)`,
        );
        const row = { ...rest, value, since: since.replace('T', ' ').replace('Z', '') };
        await tables.engine.insert(table, Object.keys(row), Buffer.from(JSON.stringify(Object.values(row))));
      },
      { attemptsMax: 6, waitMs: 1_000, waitMaxMs: 30_000, retriable: () => true },
    );
}
