import { type Command, Option } from 'commander';
import { MillraceError } from '../../core/index.js';
import { configHelp } from '../../profiles/config.js';
import { type Config, profileSettings } from '../../profiles/settings.js';
import { concernsOf, exceeded, limitsIn, type RunShares } from '../../server/run-shares.js';
import { subtopologiesOf, type Topology } from '../../topology/index.js';
import { type ExitCode, exitCodes, type Terminal } from '../../util/terminal.js';
import { type CommandContext, command, oneOrMore, profileOptions, wholeNumber } from '../command.js';
import { readConfig } from '../load/config-file.js';
import { loadTopology } from '../load/load-topology.js';
import { type RunExtent, run } from '../run/run.js';
import { type RunReport, supervisedReport, terminalReport } from '../run/run-report.js';
import type { RunSummary } from '../run/run-summary.js';

interface RunFlags {
  readonly profile?: string;
  readonly data?: string;
  readonly untilEnd?: boolean;
  readonly drain?: boolean;
  readonly subtopology?: string;
  readonly acceptPlan?: boolean | string;
  readonly failOn?: string;
  readonly host?: string;
  readonly port?: number;
  readonly allowActions?: boolean;
  readonly showValues?: boolean;
  readonly print?: boolean;
  readonly logFormat?: string;
  readonly logLevel?: string;
  readonly processes?: number;
  readonly standbys?: number;
  readonly worker?: boolean;
  readonly json?: boolean;
  readonly verbose?: boolean;
}

/** `millrace run`: runs a topology until it is stopped, or until the logs end. */
export function runCommand({ terminal, settings, act }: CommandContext): Command {
  const shared = profileOptions();
  return command('run', 'Runs a topology. Ctrl-C drains, commits and stops; the next start continues from there.', [
    'millrace run topologies/flight-delays.ts --until-end',
    'millrace run topologies/flight-delays.ts --profile cluster --port 9464',
    'millrace run topologies/flight-delays.ts --profile cluster --processes 4 --standbys 1',
    'curl -s 127.0.0.1:9464/metrics',
  ])
    .argument('<file>', 'topology file, or FILE#name if it exports several')
    .option('--until-end', 'stop at the current ends of the logs instead of waiting for more')
    .option('--drain', 'with --until-end: emit the last watermark, so that all open windows close')
    .option(
      '--accept-plan [hash]',
      'run although sources, stateful steps or versions of state differ from the checkpoint; with the hash that `millrace plan` prints, only for that topology',
    )
    .option(
      '--fail-on <shares>',
      'exit with 1 if a share of this run was larger, such as late=1%,dead=5%,unmatched=50%',
    )
    .option('--subtopology <id>', 'run only this sub-topology: the id of its first input, or its name')
    .addOption(shared.profile)
    .addOption(shared.data)
    .option('--port <number>', 'serve the live page, /metrics, /health and /state on this port', wholeNumber)
    .option('--host <address>', 'address to serve on')
    .option(
      '--allow-actions',
      'let the live page replay dead letters, and pause, save and stop the run; each action is printed',
    )
    .option('--show-values', 'let the live page show keys and values of dead letters; each look is printed')
    .option('--print', 'print the records that reach output topics, at most five a second of each')
    .addOption(
      new Option('--log-format <format>', 'json: an object on each line of standard error').choices(
        profileSettings.logFormat.values,
      ),
    )
    .addOption(
      new Option('--log-level <level>', 'the least severe lines to log').choices(profileSettings.logLevel.values),
    )
    .option('--processes <number>', 'number of processes that share the tasks; each serves on the next port', oneOrMore)
    .option('--standbys <number>', 'standby replicas of the state of each task, for a fast takeover', wholeNumber)
    .addOption(new Option('--worker', 'one process of several, started by another one').hideHelp())
    .addHelpText('after', `\nSettings, also in millrace.config.ts (defaults in brackets):\n${configHelp(settings)}`)
    .action((file: string, flags: RunFlags) =>
      act(flags, async () => {
        const topology = await loadTopology(file);
        const { profile, data, standbys, host, port, logFormat, logLevel, processes = 1 } = flags;
        const allowActions = flags.allowActions ? 'on' : undefined;
        const showValues = flags.showValues ? 'on' : undefined;
        const config = await readConfig(
          { profile, data, standbys, host, port, allowActions, showValues, logFormat, logLevel },
          { topology },
        );
        const extent = extentOf(flags);
        if (flags.print && processes > 1)
          throw new MillraceError('config', 'only a run in one process prints its outputs', {
            where: '--print',
            hint: 'omit it, and follow a topic with `millrace tail TOPIC --follow`',
          });
        const limits = limitsOf(flags);
        const report = await reportOf(terminal, topology, config, flags);
        try {
          if (flags.worker) {
            await run(topology, config, extent, supervisedReport(report));
            return exitCodes.ok;
          }
          const summary =
            processes > 1
              ? await inProcesses(topology, config, { file, flags, processes, report })
              : await run(topology, config, extent, report);
          return judged(summary, limits, report);
        } catch (error) {
          report.onFailure(error);
          return flags.worker && (await mayPass(error)) ? exitCodes.passing : exitCodes.failed;
        }
      }),
    );
}

async function reportOf(terminal: Terminal, topology: Topology, config: Config, flags: RunFlags): Promise<RunReport> {
  if (config.logFormat === 'text') return terminalReport(terminal, topology, config, flags);
  return (await import('../run/json-report.js')).jsonReport(terminal, topology, config, flags);
}

async function inProcesses(
  topology: Topology,
  config: Config,
  { file, flags, ...rest }: { file: string; flags: RunFlags; processes: number; report: RunReport },
): Promise<RunSummary> {
  const { runProcesses } = await import('../run/run-processes.js');
  return runProcesses({
    ...{ topology, config, ...rest },
    // Each process would take its own end of a sub-topology for that of all: sub-topologies end one by one, everywhere.
    subtopologies:
      flags.untilEnd && flags.subtopology === undefined ? subtopologiesOf(topology).map(({ name }) => name) : [],
    argumentsOf: (index, subtopology = flags.subtopology) =>
      workerArguments(file, { ...flags, ...(subtopology === undefined ? {} : { subtopology }) }, config, index),
  });
}

/** Tells of a run that has ended, and whether it is one that a user wants. */
function judged(summary: RunSummary, limits: Partial<RunShares>, report: RunReport): ExitCode {
  report.onEnd(summary);
  for (const concern of concernsOf(summary.thisRun)) report.onWarning(concern);
  const failures = exceeded(summary.thisRun.shares, limits);
  for (const failure of failures) report.onExceeded(failure);
  // Nobody wants a run of which nothing is left, unless it is said.
  const unreadable = limits.dead === 1 ? [] : summary.thisRun.unreadable;
  if (unreadable.length > 0) throw noneDecoded(unreadable, summary.deadLetters);
  return failures.length > 0 ? exitCodes.failed : exitCodes.ok;
}

/** For the process that started this one: it starts another after a failure that may pass. */
const mayPass = async (error: unknown): Promise<boolean> => (await import('../../runtime/index.js')).isPassing(error);

const noneDecoded = (sources: readonly string[], deadLetters: Readonly<Record<string, number>>): MillraceError =>
  new MillraceError(
    'source',
    `not one record of ${sources.join(', ')} could be decoded (${Object.keys(deadLetters).join(', ')})`,
    {
      hint: 'compare the schema with that of the producer: `millrace dlq show FILE` prints reasons and records; --fail-on dead=100% lets such a run pass',
    },
  );

function limitsOf({ failOn }: RunFlags) {
  const limits = failOn === undefined ? {} : limitsIn(failOn);
  if (limits) return limits;
  throw new MillraceError('config', `${failOn} names no shares`, {
    where: '--fail-on',
    hint: 'give shares of late, dead and unmatched, such as late=1%,dead=5%,unmatched=50%',
  });
}

function extentOf({ untilEnd = false, drain = false, subtopology, acceptPlan }: RunFlags): RunExtent {
  if (drain && !untilEnd)
    throw new MillraceError('config', 'a run that waits for more has no end', {
      where: '--drain',
      hint: 'add --until-end',
    });
  return { bounded: untilEnd, final: drain, subtopology, acceptPlan };
}

/** The same run as one of several processes; each serves its metrics on a port of its own. */
function workerArguments(
  file: string,
  flags: RunFlags,
  { profile, data, standbys, host, port, logFormat, logLevel }: Config,
  index: number,
): string[] {
  const settings = { profile, data, standbys, host, port: port === 0 ? 0 : port + index };
  return [
    'run',
    file,
    '--worker',
    ...(flags.untilEnd ? ['--until-end'] : []),
    ...(flags.drain ? ['--drain'] : []),
    ...(flags.allowActions ? ['--allow-actions'] : []),
    ...(flags.showValues ? ['--show-values'] : []),
    ...(flags.acceptPlan ? ['--accept-plan', ...(flags.acceptPlan === true ? [] : [flags.acceptPlan])] : []),
    ...(flags.subtopology === undefined ? [] : ['--subtopology', flags.subtopology]),
    ...(flags.verbose ? ['--verbose'] : []),
    ...['--log-format', logFormat, '--log-level', logLevel],
    ...Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]),
  ];
}
