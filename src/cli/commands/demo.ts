import { createRequire } from 'node:module';
import type { Command } from 'commander';
import { optionalPackage } from '../../util/optional-package.js';
import { exitCodes } from '../../util/terminal.js';
import { type CommandContext, command, profileOptions, wholeNumber } from '../command.js';
import { readConfig } from '../load/config-file.js';

interface DemoFlags {
  readonly all?: boolean;
  readonly limit: number;
  readonly rate?: number;
  readonly clean?: boolean;
  readonly watch?: boolean;
  readonly port?: number;
  readonly seed: number;
  readonly fresh?: boolean;
  readonly loadOnly?: boolean;
  readonly profile?: string;
  readonly data: string;
  readonly json?: boolean;
  readonly verbose?: boolean;
}

/** Half a million flights take less than two minutes then. */
const WATCH = { port: 8_080, rate: 10_000 } as const;

/** `millrace demo`: the flights, from the raw file to a report. */
export function demoCommand({ terminal, act }: CommandContext): Command {
  return command('demo', 'Predicts delays of real flights and learns from the flights that have arrived.', [
    'millrace demo                      500,000 flights',
    'millrace demo --watch              at a pace to look at, with a live page in the browser',
    'millrace demo --all --rate 50000   3 million, paced',
    'millrace demo --fresh --json       start again, with one JSON object at the end',
    'millrace demo --load-only --profile cluster    flights for a topology that runs elsewhere',
  ])
    .option('--limit <flights>', 'number of flights to stream', wholeNumber, 500_000)
    .option('--all', 'stream all 3 million flights')
    .option('--rate <records>', 'records per second (default: no limit)', wholeNumber)
    .option('--watch', `live page on port ${WATCH.port} until Ctrl-C, by default at ${WATCH.rate} records per second`)
    .option('--port <number>', 'serve the live page on this port', wholeNumber)
    .option('--clean', 'without corruption; by default some records are corrupted, duplicated or stale')
    .option('--seed <number>', 'seed of the corruption', wholeNumber, 1)
    .option('--fresh', 'start with empty data instead of continuing the last run')
    .option('--load-only', 'only fill the topics, for `millrace run`')
    .addOption(profileOptions().profile)
    .option('--data <folder>', 'folder for logs, state, tables and the report', '.millrace/demo')
    .action((flags: DemoFlags) =>
      act(flags, async () => {
        await checkPackages();
        const [{ runDemo }, { openProfile }] = await Promise.all([
          import('../../../examples/flights/demo.js'),
          import('../../profiles/profiles.js'),
        ]);
        await runDemo({
          limit: flags.all ? 3_000_000 : flags.limit,
          rate: flags.rate ?? (flags.watch ? WATCH.rate : undefined),
          port: flags.port ?? (flags.watch ? WATCH.port : 0),
          stays: flags.watch ?? false,
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

/** What the demo needs beside the engine: ClickHouse in the process, the flights, and the time zones of their airports. */
async function checkPackages(): Promise<void> {
  const { resolve } = createRequire(import.meta.url);
  for (const name of ['chdb', 'vega-datasets', 'tz-lookup']) {
    const needed = {
      name,
      install: 'chdb@3 vega-datasets@3 tz-lookup@6',
      neededBy: 'the demo',
      where: 'millrace demo',
    };
    await optionalPackage(needed, async () => resolve(name));
  }
}
