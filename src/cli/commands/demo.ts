import type { Command } from 'commander';
import { exitCodes } from '../../util/terminal.js';
import { type CommandContext, command, profileOptions, wholeNumber } from '../command.js';
import { readConfig } from '../load/config-file.js';

interface DemoFlags {
  readonly all?: boolean;
  readonly limit: number;
  readonly rate?: number;
  readonly clean?: boolean;
  readonly seed: number;
  readonly fresh?: boolean;
  readonly loadOnly?: boolean;
  readonly profile?: string;
  readonly data: string;
  readonly json?: boolean;
  readonly verbose?: boolean;
}

/** `millrace demo`: the flights, from the raw file to a report. */
export function demoCommand({ terminal, act }: CommandContext): Command {
  return command('demo', 'Predicts the delays of real flights while learning from those that have arrived.', [
    'millrace demo                      500,000 flights',
    'millrace demo --all --rate 50000   3 million, paced',
    'millrace demo --fresh --json       anew, with one JSON object at the end',
    'millrace demo --load-only --profile cluster    flights for a topology that runs elsewhere',
  ])
    .option('--limit <flights>', 'how many flights to stream', wholeNumber, 500_000)
    .option('--all', 'all 3 million of them')
    .option('--rate <records>', 'records per second; as fast as it goes without it', wholeNumber)
    .option('--clean', 'without the dirt that is added to make the stream a real one')
    .option('--seed <number>', 'seed of the dirt', wholeNumber, 1)
    .option('--fresh', 'begin anew instead of going on where the last run stopped')
    .option('--load-only', 'fill the topics and end: for `millrace run` on them')
    .addOption(profileOptions().profile)
    .option('--data <folder>', 'folder for logs, state, tables and the report', '.millrace/demo')
    .action((flags: DemoFlags) =>
      act(flags, async () => {
        const [{ runDemo }, { openProfile }] = await Promise.all([
          import('../../../examples/flights/demo.js'),
          import('../../profiles/profiles.js'),
        ]);
        await runDemo({
          limit: flags.all ? 3_000_000 : flags.limit,
          rate: flags.rate,
          clean: flags.clean ?? false,
          seed: flags.seed,
          fresh: flags.fresh ?? false,
          json: flags.json ?? false,
          data: flags.data,
          loadOnly: flags.loadOnly ?? false,
          terminal,
          openProfile: async (data) => openProfile(await readConfig({ profile: flags.profile, data })),
        });
        return exitCodes.ok;
      }),
    );
}
