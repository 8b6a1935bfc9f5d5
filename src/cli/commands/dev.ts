import { type Command, Option } from 'commander';
import { exitCodes } from '../../util/terminal.js';
import { type CommandContext, command, profileOptions, wholeNumber } from '../command.js';

interface DevFlags {
  readonly port: number;
  readonly profile?: string;
  readonly data?: string;
  readonly json?: boolean;
  readonly verbose?: boolean;
}

/** `millrace dev`: a run that follows its files. */
export function devCommand({ terminal, act }: CommandContext): Command {
  const shared = profileOptions();
  return command(
    'dev',
    'Runs a topology, prints the records that it writes, and serves the live page. When a file changes it checks the topology, drains and runs it again; state is kept as by `millrace run`.',
    ['millrace dev payments.ts', 'millrace dev payments.ts --profile cluster --port 9464'],
  )
    .argument('<file>', 'topology file, or FILE#name if it exports several')
    .addOption(shared.profile)
    .addOption(shared.data)
    .addOption(new Option('--port <number>', 'serve the live page on this port').argParser(wholeNumber).default(8_080))
    .action((file: string, flags: DevFlags) =>
      act(flags, async () => {
        const { develop } = await import('../dev/develop.js');
        const { port, profile, data, json, verbose } = flags;
        const where = [...(profile ? ['--profile', profile] : []), ...(data ? ['--data', data] : [])];
        const style = [...(verbose ? ['--verbose'] : []), ...(json ? ['--json'] : [])];
        await develop({
          file,
          check: ['check', file, ...where, ...style],
          run: ['run', file, '--print', '--port', `${port}`, ...where, ...style],
          terminal,
        });
        return exitCodes.ok;
      }),
    );
}
