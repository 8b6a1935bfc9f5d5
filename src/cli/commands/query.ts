import type { Command } from 'commander';
import { exitCodes } from '../../util/terminal.js';
import { textTable } from '../../util/text-table.js';
import { type CommandContext, command, profileOptions } from '../command.js';
import { readConfig } from '../load/config-file.js';

interface QueryFlags {
  readonly profile?: string;
  readonly data?: string;
  readonly json?: boolean;
  readonly verbose?: boolean;
}

/** `millrace query`: SQL over the tables that a topology writes. */
export function queryCommand({ terminal, act }: CommandContext): Command {
  const shared = profileOptions();
  return command('query', 'Runs an SQL query in the ClickHouse of the profile and prints the rows.', [
    'millrace query "SELECT count() FROM predictions"',
    'millrace query --profile cluster --json "SELECT * FROM predictions LIMIT 5"',
  ])
    .argument('<sql>', 'one statement that returns rows')
    .addOption(shared.profile)
    .addOption(shared.data)
    .action((sql: string, flags: QueryFlags) =>
      act(flags, async () => {
        const { openProfile } = await import('../../profiles/profiles.js');
        const profile = await openProfile(await readConfig({ profile: flags.profile, data: flags.data }));
        try {
          const rows = await profile.query<Record<string, unknown>>(sql);
          terminal.out(flags.json ? `${JSON.stringify({ rows })}\n` : textTable(rows));
        } finally {
          await profile.close();
        }
        return exitCodes.ok;
      }),
    );
}
