import type { Command } from 'commander';
import type { InferenceService } from '../../core/operator.js';
import type { Running } from '../../runtime/index.js';
import { describe, type Topology } from '../../topology/index.js';
import { type CommandContext, command, profileOptions, wholeNumber } from '../command.js';
import { configHelp } from '../config.js';
import { readConfig } from '../config-file.js';
import { deliveryOn } from '../guarantees.js';
import { onInterrupt } from '../interrupt.js';
import { loadTopology } from '../load-topology.js';
import type { OpenProfile } from '../profiles.js';
import { progressText, type RunSummary, summarize, summaryText } from '../run-summary.js';
import type { Config } from '../settings.js';
import { exitCodes, type Terminal } from '../terminal.js';

interface RunFlags {
  readonly profile?: string;
  readonly data?: string;
  readonly untilEnd?: boolean;
  readonly host?: string;
  readonly port?: number;
  readonly processes?: number;
  readonly worker?: boolean;
  readonly json?: boolean;
  readonly verbose?: boolean;
}

/** `millrace run`: runs a topology until it is stopped, or until the logs end. */
export function runCommand({ terminal, act }: CommandContext): Command {
  const shared = profileOptions();
  return command('run', 'Runs a topology. Ctrl-C drains, commits and ends; the next start goes on from there.', [
    'millrace run topologies/flight-delays.ts --until-end',
    'millrace run topologies/flight-delays.ts --profile local --port 9464',
    'millrace run topologies/flight-delays.ts --profile local --processes 4',
    'curl -s 127.0.0.1:9464/metrics',
  ])
    .argument('<file>', 'topology file; FILE#name where it exports several')
    .option('--until-end', 'end where the logs end now instead of waiting for more')
    .addOption(shared.profile)
    .addOption(shared.data)
    .option('--port <number>', 'serve /metrics, /health/live and /health/ready on this port', wholeNumber)
    .option('--host <address>', 'address to serve them on')
    .option('--processes <number>', 'run in so many processes that share the tasks; the next ports serve theirs', wholeNumber)
    .addOption(new Option('--worker', 'as one process of several, under the one that started it').hideHelp())
    .addHelpText('after', `\nSettings, also in millrace.config.ts (defaults in brackets):\n${configHelp()}`)
    .action((file: string, flags: RunFlags) =>
      act(flags, async () => {
        const topology = await loadTopology(file);
        const { profile, data, host, port, processes = 1 } = flags;
        const config = await readConfig({ profile, data, host, port });
        if (!flags.json && !flags.worker) terminal.out(describe(topology, deliveryOn(config.profile, topology)));
        const argumentsOf = (place: number) => workerArguments(file, flags, config, place);
        const summary =
          processes > 1
            ? await runProcesses({ topology, config, processes, argumentsOf, terminal })
            : await run(topology, config, flags, terminal);
        if (flags.worker) return exitCodes.ok;
        terminal.out(flags.json ? `${JSON.stringify(summary)}\n` : `${summaryText(summary)}\n`);
        return exitCodes.ok;
      }),
    );
}

/** Opens what the topology needs, runs it, and closes everything again, come what may. */
async function run(topology: Topology, config: Config, flags: RunFlags, terminal: Terminal): Promise<RunSummary> {
  if (!flags.json) terminal.out(describe(topology, deliveryOn(config.profile)));
  const [{ openProfile }, { createInference }, { runTopology }] = await Promise.all([
    import('../profiles.js'),
    import('../../inference/index.js'),
    import('../../runtime/index.js'),
  ]);
  const profile = await openProfile(config);
  try {
    const inference = createInference();
    try {
      const onWarning = (message: string) => terminal.err(`warning: ${message}\n`);
      const bounded = flags.untilEnd ?? false;
      const startedMs = performance.now();
      const running = await runTopology(topology, { profile, inference, bounded, onWarning });
      return await attend(running, { topology, profile, inference, config, flags, terminal, startedMs });
    } finally {
      await inference.close();
    }
  } finally {
    await profile.close();
  }
}

interface Attended {
  readonly topology: Topology;
  readonly profile: OpenProfile;
  readonly inference: InferenceService;
  readonly config: Config;
  readonly flags: RunFlags;
  readonly terminal: Terminal;
  readonly startedMs: number;
}

const PROGRESS_EVERY_MS = 5_000;

/** Stays with a run until it ends: signals, monitoring, a line of progress now and then. */
async function attend(
  running: Running,
  { topology, profile, config, flags, terminal, startedMs }: Attended,
): Promise<RunSummary> {
  let ready = true;
  const forget = onInterrupt(terminal, () => {
    ready = false;
    running.stop().catch(() => {}); // `finished` rejects with the same cause, below
  });
  const summary = () => summarize(topology, profile.name, (performance.now() - startedMs) / 1_000, running.snapshot());
  let readBefore = total(summary().read);
  const progress = setInterval(() => {
    const current = summary();
    const read = total(current.read);
    terminal.err(`${progressText(current, ((read - readBefore) * 1_000) / PROGRESS_EVERY_MS)}\n`);
    readBefore = read;
  }, PROGRESS_EVERY_MS);
  const monitoring = await serve();
  try {
    await running.finished;
    return summary();
  } finally {
    ready = false;
    clearInterval(progress);
    forget();
    await monitoring?.close();
  }

  async function serve() {
    if (config.port === 0) return undefined;
    const { host, port } = config;
    try {
      const { serveMonitoring } = await import('../http.js');
      const { name } = topology;
      const served = await serveMonitoring({
        host,
        port,
        topology: name,
        snapshot: running.snapshot,
        isReady: () => ready,
      });
      if (!flags.json) terminal.out(`metrics and health at ${served.url}\n`);
      return served;
    } catch (error) {
      clearInterval(progress);
      forget();
      await running.stop();
      throw error;
    }
  }
}

const total = (values: Readonly<Record<string, number>>): number =>
  Object.values(values).reduce((sum, value) => sum + value, 0);
