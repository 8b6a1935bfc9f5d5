import type { OpenProfile } from '../profiles/profiles.js';
import type { AlertNotice } from '../server/alerts/start.js';
import { retry } from '../util/retry.js';
import { ownTable, timeText } from './own-table.js';

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
  const write = ownTable(profile, { table, where: 'alertTable', columns, orderBy: ['topology', 'since', 'id'] });
  return ({ value = null, since, ...rest }) =>
    retry(() => write([{ ...rest, value, since: timeText(since) }]), {
      ...{ attemptsMax: 6, waitMs: 1_000, waitMaxMs: 30_000 },
      retriable: () => true,
    });
}
