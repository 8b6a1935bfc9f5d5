import { definition as kafka } from '../../connectors/kafka/definition.js';
import { MillraceError } from '../core/errors.js';
import { connectorsOf } from '../profiles/built-in.js';
import { allSettings, resolveConfig } from '../profiles/config.js';
import type { Config, ProfileConfig } from '../profiles/settings.js';
import type { Topology } from '../topology/index.js';
import { type App, type LaunchOptions, launch } from './launch.js';

/** How a topology runs in a process of yours: any of the settings, and what only code can say. */
export interface StartOptions
  extends ProfileConfig,
    Pick<
      LaunchOptions,
      'services' | 'subtopology' | 'epochInterval' | 'inFlightMax' | 'roundMax' | 'recordsPerSecondMax'
    > {
  /** End where the logs end at the start, instead of waiting for more. */
  readonly untilEnd?: boolean;
  /** Settings of connectors, such as `{ redis: 'redis://cache:6379' }`. */
  readonly connectors?: Readonly<Record<string, string | number>>;
  /** With `untilEnd`: nothing will ever follow, so windows that are still open close and timers fire. */
  readonly drain?: boolean;
  /** Signals that stop the run, such as `['SIGTERM']`. None by default: signals are the process's own business. */
  readonly stopOn?: readonly NodeJS.Signals[];
  /** Where settings come from that are not given here, passwords above all; `process.env` by default. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Told of everything that was mended without help. A person should read it; nothing has to be done. */
  readonly onWarning?: (message: string) => void;
}

/**
 * Starts a topology in this process, beside whatever else the process does: opens the profile, the inference service and
 * one task for each partition. Resolves when the tasks have been started.
 *
 * A setting is taken from the options, then from the environment (`MILLRACE_KAFKA`, ...), then from its default. It calls
 * no `process.exit`, handles no signal unless `stopOn` says so, and opens no port unless `port` says so.
 *
 * Guarantees: `stop` drains, commits and closes; the next start goes on from there. A process that dies without it loses
 * nothing either. Whatever was opened is closed when the run ends, also where starting fails half-way.
 *
 * @throws MillraceError `config` for a setting or a topology that is wrong, otherwise the code of what could not be opened.
 * @example
 * const app = await start(payments, { profile: 'embedded', data: '.millrace/data' });
 * console.log(await app.query('card-features', 'card-17'));
 * await app.stop();
 */
export async function start(topology: Topology, options: StartOptions = {}): Promise<App> {
  const { untilEnd = false, drain = false, stopOn = [], env = process.env, onWarning, connectors, ...others } = options;
  const { services, subtopology, epochInterval, inFlightMax, roundMax, recordsPerSecondMax, ...settings } = others;
  if (drain && !untilEnd) {
    const hint = 'add untilEnd: true';
    throw new MillraceError('config', 'a run that waits for more has no end', { where: 'drain', hint });
  }
  const app = await launch(topology, configOf(topology, { ...settings, ...connectors }, env), {
    services,
    subtopology,
    epochInterval,
    inFlightMax,
    roundMax,
    recordsPerSecondMax,
    bounded: untilEnd,
    final: drain,
    onWarning: (message) => onWarning?.(message),
  });
  const stop = () => void app.stop().catch(() => undefined); // `finished` rejects with the same cause
  for (const signal of stopOn) process.once(signal, stop);
  const forget = () => {
    for (const signal of stopOn) process.off(signal, stop);
  };
  app.finished.then(forget, forget);
  return app;
}

function configOf(
  topology: Topology,
  given: Readonly<Record<string, unknown>>,
  env: NonNullable<StartOptions['env']>,
): Config {
  const connectors = [kafka, ...connectorsOf(topology)];
  const known = Object.keys(allSettings(connectors));
  const unknown = Object.keys(given).filter((name) => !known.includes(name));
  if (unknown.length > 0) {
    const hint = `settings of this topology are: ${known.join(', ')}`;
    throw new MillraceError('config', `there is no setting ${unknown.join(', ')}`, { where: 'start', hint });
  }
  return resolveConfig({ flags: given, env, connectors, nameOf: (name) => `the option ${name}` });
}
