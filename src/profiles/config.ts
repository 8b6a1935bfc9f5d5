import {
  type ConnectorDefinition,
  Mistake,
  type Setting,
  type SettingSpecs,
  type SettingValues,
  variableOf,
} from '../core/connector.js';
import { MillraceError } from '../core/errors.js';
import { type Config, type ConfigFile, profileSettings } from './settings.js';

/**
 * Types the default export of `millrace.config.ts`; gives back what it is given.
 *
 * @example
 * // millrace.config.ts
 * export default defineConfig({ profile: 'cluster', kafka: 'broker-1:9092,broker-2:9092' });
 */
export const defineConfig = (config: ConfigFile): ConfigFile => config;

type Given = Readonly<Record<string, unknown>>;

export interface ConfigSources {
  /** Options of the command line. */
  readonly flags?: Given;
  /** What messages call an option; `--name` by default. */
  readonly nameOf?: (name: string) => string;
  readonly env?: Given;
  readonly file?: { readonly path: string; readonly values: Given };
  /** All connectors that the file may speak of: what else it sets is a mistake. Names are not looked at where this is missing. */
  readonly connectors?: readonly Pick<ConnectorDefinition, 'settings'>[] | undefined;
}

/**
 * The settings that hold: an option before an environment variable, that before the file, that before the default.
 *
 * @throws MillraceError `config` that lists everything that is wrong, and prints no value that may hold a password.
 * @example
 * resolveConfig({ env: process.env }).profile; // 'embedded'
 */
export function resolveConfig({ connectors, ...sources }: ConfigSources): Config {
  const known = allSettings(connectors ?? []);
  const mistakes = connectors === undefined ? [] : unknownNames(sources.file, known);
  valuesOf(known, sources, mistakes);
  return {
    ...valuesOf(profileSettings, sources),
    valuesOf: (settings) => valuesOf(settings, sources),
  };
}

/** Every setting of the profiles and of some connectors. */
export const allSettings = (connectors: readonly Pick<ConnectorDefinition, 'settings'>[]): SettingSpecs =>
  Object.assign({}, profileSettings, ...connectors.map(({ settings }) => settings));

function valuesOf<S extends SettingSpecs>(
  settings: S,
  sources: ConfigSources,
  mistakes: readonly string[] = [],
): SettingValues<S> {
  const read = Object.entries(settings).map(
    ([name, setting]) => [name, readValue(name, setting, settings, sources)] as const,
  );
  const wrong = [...mistakes, ...read.flatMap(([, value]) => (value instanceof Mistake ? [value.expected] : []))];
  if (wrong.length > 0) {
    throw new MillraceError('config', wrong.join('; '), {
      where: 'settings',
      hint: '`millrace run --help` lists all settings',
    });
  }
  return Object.fromEntries(read) as SettingValues<S>;
}

/** Of a mistake the whole sentence. */
function readValue(
  name: string,
  setting: Setting<unknown>,
  settings: SettingSpecs,
  { flags = {}, nameOf = (option) => `--${option}`, env = {}, file }: ConfigSources,
): unknown {
  const variable = variableOf(name);
  for (const [value, where] of [
    [flags[name], nameOf(name)],
    [env[variable] || undefined, variable],
    [file?.values[name], `${name} in ${file?.path}`],
  ] as const) {
    if (value === undefined) continue;
    if (setting.sealed && where !== variable) {
      const other = Object.hasOwn(settings, `${name}File`) ? `, or name a file with ${name}File` : '';
      return new Mistake(`${where} is a secret and must not be in this file: set ${variable}${other}`);
    }
    const parsed =
      typeof value === 'string' || typeof value === 'number' ? setting.parse(value) : new Mistake(setting.type);
    if (!(parsed instanceof Mistake)) return parsed;
    const advice = String(value).includes('@') ? ' (in user and password, write / ? # @ : % as %2F and so on)' : '';
    const shown = setting.secret ? advice : `, not ${JSON.stringify(value)}`;
    return new Mistake(`${where} must be ${parsed.expected}${shown}`);
  }
  return setting.fallback;
}

const unknownNames = (file: ConfigSources['file'], known: SettingSpecs): string[] =>
  Object.keys(file?.values ?? {})
    .filter((name) => !Object.hasOwn(known, name))
    .map((name) => `${file?.path} sets "${name}", which is not a setting`);

/** Settings as text, for `--help`. */
export function configHelp(settings: SettingSpecs): string {
  const width = Math.max(...Object.keys(settings).map((name) => variableOf(name).length));
  return Object.entries(settings)
    .map(([name, { fallback, description }]) => {
      return `  ${variableOf(name).padEnd(width)}  ${description}${fallback === '' ? '' : ` (${fallback})`}`;
    })
    .join('\n');
}
