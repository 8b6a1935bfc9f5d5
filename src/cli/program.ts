import { Command, CommanderError } from 'commander';
import { builtInConnectors } from '../profiles/built-in.js';
import { allSettings } from '../profiles/config.js';
import { printable } from '../util/printable.js';
import { type ExitCode, exitCodes, reportError, type Terminal } from '../util/terminal.js';
import type { CommandContext } from './command.js';
import { checkCommand } from './commands/check.js';
import { connectorsCommand } from './commands/connectors.js';
import { controlCommands } from './commands/control.js';
import { demoCommand } from './commands/demo.js';
import { describeCommand } from './commands/describe.js';
import { devCommand } from './commands/dev.js';
import { dlqCommand } from './commands/dlq.js';
import { doctorCommand } from './commands/doctor.js';
import { evaluateCommand } from './commands/evaluate.js';
import { featuresCommand } from './commands/features.js';
import { initCommand } from './commands/init.js';
import { offsetsCommand } from './commands/offsets.js';
import { planCommand } from './commands/plan.js';
import { produceCommand } from './commands/produce.js';
import { queryCommand } from './commands/query.js';
import { runCommand } from './commands/run.js';
import { savepointCommand } from './commands/savepoint.js';
import { schemaCommand } from './commands/schema.js';
import { statusCommand, topCommand } from './commands/status.js';
import { tailCommand } from './commands/tail.js';
import { verifyCommand } from './commands/verify.js';
import { viewsCommand } from './commands/views.js';
import { ownPackage } from './load/own-package.js';

/**
 * The `millrace` command: parses arguments, runs one command and gives back its exit code.
 *
 * Never throws and never ends the process: 0 where all went well, 1 where something failed or a problem was found, 2
 * where the command line itself is wrong.
 */
export async function main(args: readonly string[], raw: Terminal): Promise<ExitCode> {
  let exitCode: ExitCode = exitCodes.ok;
  const terminal = printing(raw);
  const context: CommandContext = {
    terminal,
    // Their definitions take some time to load, and only help shows all of their settings.
    settings: allSettings(args.some((arg) => arg === '--help' || arg === '-h') ? await builtInConnectors() : []),
    async act(style, work) {
      try {
        exitCode = await work();
      } catch (error) {
        reportError(terminal, error, style);
        exitCode = exitCodes.failed;
      }
    },
  };
  try {
    await commandLine(context).parseAsync(args, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
  }
  return exitCode;
}

/** Everything that a command prints goes through here: most of it holds data of others. */
export const printing = ({ out, err }: Terminal): Terminal => ({
  out: (text) => out(printable(text)),
  err: (text) => err(printable(text)),
});

/** The whole command line: parsing it runs one command by `context.act`. */
export function commandLine(context: CommandContext): Command {
  const { terminal } = context;
  const root = new Command('millrace')
    .description('Stream processing with online learning and micro-batched inference, in one typed topology file.')
    .version(ownPackage().version, '--version', 'print the version')
    .helpCommand(false)
    .addHelpText(
      'after',
      `
Examples:
  $ millrace demo                                    predict and learn from 500,000 real flights
  $ millrace init my-stream                          a first topology of your own
  $ millrace check topologies/flight-delays.ts
  $ millrace run topologies/flight-delays.ts --until-end

Exit codes: 0 all went well, 1 something failed or a problem was found, 2 wrong usage, 3 a run needs its plan accepted.`,
    );
  const commands = [
    initCommand,
    doctorCommand,
    checkCommand,
    describeCommand,
    planCommand,
    runCommand,
    devCommand,
    statusCommand,
    topCommand,
    ...controlCommands,
    produceCommand,
    tailCommand,
    dlqCommand,
    offsetsCommand,
    savepointCommand,
    schemaCommand,
    connectorsCommand,
    featuresCommand,
    queryCommand,
    viewsCommand,
    verifyCommand,
    evaluateCommand,
    demoCommand,
  ];
  for (const create of commands) root.addCommand(create(context));
  for (const command of withCommandsBelow(root)) {
    command.exitOverride().showHelpAfterError('(see --help)');
    command.configureOutput({ writeOut: terminal.out, writeErr: terminal.err });
  }
  return root;
}

function* withCommandsBelow(command: Command): Generator<Command> {
  yield command;
  for (const below of command.commands) yield* withCommandsBelow(below);
}
