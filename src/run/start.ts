import { definition as kafka } from '../../connectors/kafka/definition.js';
import { MillraceError } from '../core/errors.js';
import { connectorsOf } from '../profiles/built-in.js';
import { allSettings, resolveConfig } from '../profiles/config.js';
import type { Config, ProfileConfig } from '../profiles/settings.js';
import type { Topology } from '../topology/index.js';
import { type App, type LaunchOptions, launch } from './launch.js';

/** Options of `start`: any of the settings, and those that only code can give. */
export interface StartOptions
  extends Omit<ProfileConfig, 'logFormat' | 'logLevel'>,
    Pick<
      LaunchOptions,
      'services' | 'subtopology' | 'epochInterval' | 'inFlightMax' | 'roundMax' | 'recordsPerSecondMax'
    > {
  /** Stop at the current ends of the logs, instead of waiting for more records. */
  readonly untilEnd?: boolean;
  /** Settings of connectors, such as `{ redis: 'redis://cache:6379' }`. */
  readonly connectors?: Readonly<Record<string, string | number>>;
  /** With `untilEnd`: emit the last watermark, so that open windows close and timers fire. */
  readonly drain?: boolean;
  /** Signals that stop the run, such as `['SIGTERM']`; none by default. */
  readonly stopOn?: readonly NodeJS.Signals[];
  /** The environment for settings that are not given here, such as passwords; `process.env` by default. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Called with the message of each warning: a problem that the run handles by itself. */
  readonly onWarning?: (message: string) => void;
  /** Called with a line for each action of the live page: who did what, and how it ended. `onWarning` by default. */
  readonly onAction?: (line: string) => void;
}

/**
 * Starts a topology inside your process: opens the profile, the inference service and one task per partition. Resolves when the tasks have
 * been started.
 *
 * A setting comes from the options, then from the environment (`MILLRACE_KAFKA`, ...), then from its default. `start` never calls
 * `process.exit`. It handles signals only with `stopOn`, and opens a port only with `port`.
 *
 * Guarantees: `stop` drains, commits and closes, and the next start continues from there. A process that dies without `stop` loses nothing
 * either. Everything is closed when the run ends, or if the start fails.
 *
 * @throws MillraceError `config` for a wrong setting or topology, otherwise the code of the part that could not be opened.
 * @example
 * const app = await start(payments, { profile: 'embedded', data: '.millrace/data' });
 * console.log(await app.query('card-features', 'card-17'));
 * await app.stop();
 */
export async function start(topology: Topology, options: StartOptions = {}): Promise<App> {
  const {
    untilEnd = false,
    drain = false,
    stopOn = [],
    env = process.env,
    onWarning,
    onAction,
    connectors,
    ...others
  } = options;
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
    ...(onAction && { onAction }),
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
