import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** The variable by which the host gets its token: arguments of a process can be read by others. */
export const TOKEN_VARIABLE = 'MILLRACE_STACK_CLICKHOUSE_TOKEN';

/** The token of the host whose data this folder holds; it stays the same over a restart. */
export function tokenOf(data: string): string {
  const file = join(data, 'token');
  if (!existsSync(file)) {
    mkdirSync(data, { recursive: true, mode: 0o700 });
    writeFileSync(file, randomBytes(24).toString('base64url'), { mode: 0o600 });
  }
  return readFileSync(file, 'utf8');
}

/** Engines that keep what they hold inside the engine's own folder or memory. */
const TABLE_ENGINES = [
  ...['', 'Replacing', 'Summing', 'Aggregating', 'Collapsing', 'VersionedCollapsing'].map((kind) => `${kind}MergeTree`),
  ...['Memory', 'Null', 'Log', 'TinyLog', 'StripeLog', 'Set', 'Join', 'Buffer', 'Merge', 'View', 'MaterializedView'],
  ...['Atomic', 'GenerateRandom'],
];

/** Everything that clients need, and no source outside the engine: no `FILE`, `URL`, `REMOTE`, `S3`, no dictionaries. */
const GRANTS = [
  `GRANT CHECK, SHOW, SELECT, INSERT, ALTER, DROP, UNDROP TABLE, TRUNCATE, OPTIMIZE, KILL QUERY, dictGet,
   CREATE DATABASE, CREATE TABLE, CREATE VIEW, CREATE TEMPORARY TABLE, SYSTEM MERGES, SYSTEM VIEWS, SYSTEM FLUSH LOGS ON *.*`,
  ...TABLE_ENGINES.map((engine) => `GRANT TABLE ENGINE ON ${engine}`),
];

const users = `<clickhouse>
<profiles><default/></profiles>
<quotas><default/></quotas>
<users><default>
<password></password><networks><ip>::/0</ip></networks><profile>default</profile><quota>default</quota>
<grants>${GRANTS.map((grant) => `<query>${grant}</query>`).join('\n')}</grants>
</default></users>
</clickhouse>
`;

/** Writes the configuration that takes files and addresses from the engine, and says with which argument to open it. */
export function confined(data: string): string {
  const usersFile = join(data, 'users.xml');
  const configFile = join(data, 'config.xml');
  writeFileSync(usersFile, users);
  writeFileSync(configFile, `<clickhouse><users_config>${usersFile}</users_config></clickhouse>\n`);
  return `--config-file=${configFile}`;
}
