import type { Command } from 'commander';
import { exitCodes } from '../../util/terminal.js';
import { textTable } from '../../util/text-table.js';
import { type CommandContext, command, profileOptions } from '../command.js';
import { readConfig } from '../load/config-file.js';

type Row = Record<string, unknown>;

interface QueryFlags {
  readonly profile?: string;
  readonly data?: string;
  readonly write?: boolean;
  readonly json?: boolean;
  readonly verbose?: boolean;
}

/** Statements that return rows; the others return nothing. */
const RETURNS_ROWS = /^[\s(]*(SELECT|WITH|SHOW|DESC|DESCRIBE|EXPLAIN|EXISTS|CHECK)\b/i;

/** `millrace query`: SQL over the tables that a topology writes; only `--write` lets it change or reach anything else. */
export function queryCommand({ terminal, act }: CommandContext): Command {
  const shared = profileOptions();
  return command('query', 'Runs an SQL query in the ClickHouse of the profile and prints the rows.', [
    'millrace query "SELECT count() FROM predictions"',
    'millrace query --profile cluster --json "SELECT * FROM predictions LIMIT 5"',
    'millrace query --write "TRUNCATE TABLE predictions"',
  ])
    .argument('<sql>', 'one statement; without --write it may only read tables')
    .option('--write', 'allow statements that write, and functions that reach files and addresses')
    .addOption(shared.profile)
    .addOption(shared.data)
    .action((sql: string, flags: QueryFlags) =>
      act(flags, async () => {
        const [{ openProfile }, { definition: clickhouse }] = await Promise.all([
          import('../../profiles/profiles.js'),
          import('../../../connectors/clickhouse/definition.js'),
        ]);
        const profile = await openProfile(await readConfig({ profile: flags.profile, data: flags.data }), {
          besideOwner: true,
        });
        try {
          const { tables } = await profile.connect(clickhouse);
          if (flags.write && !RETURNS_ROWS.test(sql)) {
            await tables.command(sql);
            terminal.out(flags.json ? `${JSON.stringify({ rows: [] })}\n` : 'done\n');
          } else {
            const rows = await (flags.write ? tables.queryInFull<Row>(sql) : tables.queryReadOnly<Row>(sql));
            terminal.out(flags.json ? `${JSON.stringify({ rows })}\n` : textTable(rows));
          }
        } finally {
          await profile.close();
        }
        return exitCodes.ok;
      }),
    );
}
