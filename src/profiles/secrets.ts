import { readFile } from 'node:fs/promises';
import { MillraceError, messageOf } from '../core/errors.js';
import type { Config, SettingName } from './settings.js';

// Secrets come from the environment or from files, and what is wrong with them is said without them.

/** A secret, or what reads it when it is needed. */
export type Secret = string | (() => Promise<string>);

/** Settings that are texts. */
type Texts = { readonly [K in SettingName]: Config[K] extends string ? K : never }[SettingName];

/** A secret from the environment, or from a file that is read whenever it is needed. */
export function secretOf(config: Config, value: Texts, file: Texts): Secret | undefined {
  if (config[value] !== '' && config[file] !== '')
    throw contradiction(file, `${value} is set too`, 'set only one of the two');
  if (config[file] !== '') return fileOf(file, config[file]);
  return config[value] === '' ? undefined : config[value];
}

export const fileOf = (setting: SettingName, path: string) => async (): Promise<string> => {
  try {
    return (await readFile(path, 'utf8')).trim();
  } catch (cause) {
    throw new MillraceError('config', `cannot read ${path}: ${messageOf(cause)}`, {
      where: setting,
      hint: 'check that the file exists and that this process may read it',
      cause,
    });
  }
};

export const revealed = async (credential: Secret): Promise<string> =>
  typeof credential === 'string' ? credential : credential();

export function required(secret: Secret | undefined, where: SettingName, name: string): Secret {
  if (secret !== undefined) return secret;
  const variable = `MILLRACE_${name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`;
  throw contradiction(where, `${name} is missing`, `set ${variable}, or name a file with ${name}File`);
}

export const contradiction = (where: SettingName, message: string, hint: string): MillraceError =>
  new MillraceError('config', message, { where, hint });
