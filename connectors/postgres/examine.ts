import { clockFinding } from '../../src/connect/clock-finding.js';
import type { Finding } from '../../src/core/connector.js';
import type { Postgres } from './open.js';

const ASKED = `SELECT current_setting('server_version') AS version, current_setting('fsync') AS fsync,
  current_setting('synchronous_commit') AS commits, extract(epoch FROM clock_timestamp()) * 1000 AS "nowMs"`;

interface Told {
  readonly version: string;
  readonly fsync: string;
  readonly commits: string;
  readonly nowMs: string | number;
}

/** For `millrace doctor`: the version, the clock, and whether what it has committed outlives a crash of it. Changes nothing. */
export async function examinePostgres({
  where,
  query,
}: Pick<Postgres, 'where' | 'query'>): Promise<readonly Finding[]> {
  const of = `Postgres at ${where}`;
  const askedMs = Date.now();
  const [told] = await query<Told>(ASKED);
  if (told === undefined) return [];
  const { version, fsync, commits, nowMs } = told;
  const findings: Finding[] = [
    { of, state: 'fine', said: `Postgres ${version}` },
    clockFinding(of, Number(nowMs), askedMs, Date.now()),
  ];
  for (const [setting, value] of Object.entries({ fsync, synchronous_commit: commits }))
    if (value === 'off')
      findings.push({
        of,
        state: 'warning',
        said: `${setting} is off`,
        hint: 'a crash of Postgres loses rows that it has committed, and no replay writes them again',
      });
  return findings;
}
