import { clockFinding } from '../../src/connect/clock-finding.js';
import type { Finding } from '../../src/core/connector.js';
import type { ClickHouse } from './open.js';

/** For `millrace doctor`: the version and the clock of a server. Changes nothing. */
export async function examineClickHouse({ engine, query }: ClickHouse): Promise<readonly Finding[]> {
  const of = `ClickHouse at ${engine.where}`;
  const askedMs = Date.now();
  const sql = 'SELECT version() AS version, toUnixTimestamp64Milli(now64(3)) AS nowMs';
  const [told] = await query<{ version: string; nowMs: string | number }>(sql);
  if (told === undefined) return [];
  return [
    { of, state: 'fine', said: `ClickHouse ${told.version}` },
    clockFinding(of, Number(told.nowMs), askedMs, Date.now()),
  ];
}
