import { type Command, InvalidArgumentError, Option } from 'commander';
import { MillraceError } from '../../core/errors.js';
import { onInterrupt } from '../../util/interrupt.js';
import { exitCodes } from '../../util/terminal.js';
import type { VerificationWork } from '../../verify/worker.js';
import { type CommandContext, command, profileOptions, wholeNumber } from '../command.js';
import { readConfig } from '../load/config-file.js';
import { loadTopology } from '../load/load-topology.js';

interface VerifyFlags {
  readonly input?: readonly string[];
  readonly key?: string;
  readonly time?: string;
  readonly partitions: number;
  readonly from: string;
  readonly kills: number;
  readonly minutes?: number;
  readonly processes?: number;
  readonly drain: boolean;
  readonly keep?: boolean;
  readonly worker?: string;
  readonly profile?: string;
  readonly data?: string;
  readonly json?: boolean;
  readonly verbose?: boolean;
}

function workIn(text: string): VerificationWork {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const hint = 'it is for the processes that a verification starts: run it without';
    throw new MillraceError('config', 'is not the work of a verification', { where: '--worker', hint, cause });
  }
}

/** So long a kill, a new start and some work after it take. */
const SECONDS_A_KILL = 3;

/** `millrace verify`: the same records once without faults and once with kills, and what differs. */
export function verifyCommand({ terminal, act }: CommandContext): Command {
  const shared = profileOptions();
  return command(
    'verify',
    'Runs a topology twice over its input, once without faults and once with killed processes, and compares all outputs.',
    [
      'millrace verify payments.ts --input payments=data/payments.ndjson --input reviews=data/reviews.ndjson',
      'millrace verify payments.ts --profile cluster --from 2026-01-31 --kills 20 --processes 3',
    ],
  )
    .argument('<file>', 'topology file, or FILE#name if it exports several')
    .option(
      '--input <source=file>',
      'JSON lines to read instead of a topic; the name of the source is optional if there is only one',
      (text: string, before: readonly string[] = []) => [...before, text],
    )
    .option('--key <field>', 'with --input: field that becomes the key')
    .option('--time <field>', "with --input: field with the record's time")
    .option('--partitions <number>', 'with --input: partitions of the topics', wholeNumber, 1)
    .option('--from <point>', 'start in the topics: earliest, an offset (in every partition) or a time', 'earliest')
    .option('--kills <number>', 'number of kills', wholeNumber, 10)
    .option('--minutes <number>', `duration of the run with kills (default: ${SECONDS_A_KILL} s per kill)`, minutes)
    .option(
      '--processes <number>',
      'processes of the run with kills (default: 2, or 1 on the embedded profile)',
      wholeNumber,
    )
    .option('--no-drain', 'leave windows open that the input does not close: their state is compared, not their output')
    .option('--keep', 'keep the outputs and state of both runs')
    .addOption(new Option('--worker <work>', 'one process of a run, started by another one').hideHelp())
    .addOption(shared.profile)
    .addOption(shared.data)
    .addHelpText(
      'after',
      `
At the end of its input, each run emits the last watermark, so that all open windows close. Both runs have a consumer group,
state, topics, keys, tables, files and objects of their own. Their names begin with "verify-", and they are removed at the end.
Nothing is written to the targets of the topology, and nothing is sent to other systems. Exits with 1 if anything differs.`,
    )
    .action((file: string, flags: VerifyFlags) =>
      act(flags, async () => {
        const work = flags.worker === undefined ? undefined : workIn(flags.worker);
        const topology = await loadTopology(file);
        const config = await readConfig({ profile: flags.profile, data: flags.data }, { topology });
        if (work) {
          const { runVerificationWork } = await import('../../verify/worker.js');
          await runVerificationWork(topology, config, work);
          return exitCodes.ok;
        }
        const [{ verify }, { inputFiles }, { reportText }, { startOf }] = await Promise.all([
          import('../../verify/verify.js'),
          import('../../verify/inputs.js'),
          import('../../verify/report.js'),
          import('../../topics/read-topic.js'),
        ]);
        const { kills, processes = config.profile === 'embedded' ? 1 : 2 } = flags;
        if (config.profile === 'embedded' && processes > 1) throw oneProcess();
        const report = await verify({
          topology,
          config,
          files: inputFiles(flags.input ?? [], topology),
          partitions: flags.partitions,
          keyField: flags.key,
          timeField: flags.time,
          from: startOf(flags.from, '--from'),
          kills,
          minutes: flags.minutes ?? ((kills + 1) * SECONDS_A_KILL) / 60,
          processes,
          drain: flags.drain,
          keep: flags.keep ?? false,
          argumentsOf: (work, data) => [
            'verify',
            file,
            ...['--worker', JSON.stringify(work), '--profile', config.profile, '--data', data],
            ...(flags.verbose ? ['--verbose'] : []),
          ],
          onProgress: (text) => terminal.err(`${text}\n`),
          onWarning: (message) => terminal.err(`warning: ${message}\n`),
          onStop: (stop) => onInterrupt(terminal, stop),
        });
        terminal.out(flags.json ? `${JSON.stringify(report)}\n` : `${reportText(report)}\n`);
        return report.right ? exitCodes.ok : exitCodes.failed;
      }),
    );
}

const oneProcess = (): MillraceError =>
  new MillraceError('config', 'the embedded profile runs in one process', {
    where: '--processes',
    hint: 'use --profile cluster, or omit --processes',
  });

function minutes(text: string): number {
  const value = Number(text);
  if (!(value > 0)) throw new InvalidArgumentError('It must be a number above 0.');
  return value;
}
