import { Mistake, type Setting } from '../core/connector.js';
import { MillraceError } from '../core/errors.js';
import { type Config, type ConfigFile, type SettingName, settingNames, settings } from './settings.js';

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
  /** What messages call an option; `--data` by default. */
  readonly nameOf?: (name: SettingName) => string;
  readonly env?: Given;
  readonly file?: { readonly path: string; readonly values: Given };
}

/**
 * The settings that hold: an option before an environment variable, that before the file, that before the default.
 *
 * @throws MillraceError `config` that lists everything that is wrong, and prints no value that may hold a password.
 * @example
 * resolveConfig({ env: process.env }).kafka; // '127.0.0.1:9092'
 */
export function resolveConfig({ flags = {}, env = {}, file, nameOf = (name) => `--${name}` }: ConfigSources): Config {
  const mistakes: string[] = [...unknownNames(file)];
  const pick = (name: SettingName): unknown => {
    const setting: Setting<unknown> = settings[name];
    for (const [value, where] of [
      [flags[name], nameOf(name)],
      [env[setting.env] || undefined, setting.env],
      [file?.values[name], `${name} in ${file?.path}`],
    ] as const) {
      if (value === undefined) continue;
      if (setting.sealed && where !== setting.env) {
        const file = Object.hasOwn(settings, `${name}File`) ? `, or name a file with ${name}File` : '';
        mistakes.push(`${where} is a secret and must not be in this file: set ${setting.env}${file}`);
        return undefined;
      }
      const parsed =
        typeof value === 'string' || typeof value === 'number' ? setting.parse(value) : new Mistake(setting.type);
      if (!(parsed instanceof Mistake)) return parsed;
      const advice = String(value).includes('@') ? ' (in user and password, write / ? # @ : % as %2F and so on)' : '';
      const shown = setting.secret ? advice : `, not ${JSON.stringify(value)}`;
      mistakes.push(`${where} must be ${parsed.expected}${shown}`);
      return undefined;
    }
    return setting.fallback;
  };
  const config = Object.fromEntries(settingNames.map((name) => [name, pick(name)]));
  if (mistakes.length > 0) {
    throw new MillraceError('config', mistakes.join('; '), { hint: '`millrace run --help` lists all settings' });
  }
  return config as Config;
}

function unknownNames(file: ConfigSources['file']): string[] {
  const known: readonly string[] = settingNames;
  return Object.keys(file?.values ?? {})
    .filter((name) => !known.includes(name))
    .map((name) => `${file?.path} sets "${name}", which is not a setting`);
}

/** Settings as a Markdown table, for the documents. */
export function configTable(names: readonly SettingName[] = settingNames): string {
  const rows = names.map((name) => {
    const { env, type, fallback, description, sealed }: Setting<unknown> = settings[name];
    const shown = fallback === '' ? '' : `\`${fallback}\``;
    return `| ${sealed ? '' : `\`${name}\``} | \`${env}\` | ${type} | ${shown} | ${description} |`;
  });
  return ['| setting | environment | type | default | |', '|---|---|---|---|---|', ...rows].join('\n');
}

/** The settings as text, for `--help`. */
export function configHelp(): string {
  const width = Math.max(...settingNames.map((name) => settings[name].env.length));
  return settingNames
    .map((name) => {
      const { env, fallback, description }: Setting<unknown> = settings[name];
      return `  ${env.padEnd(width)}  ${description}${fallback === '' ? '' : ` (${fallback})`}`;
    })
    .join('\n');
}
