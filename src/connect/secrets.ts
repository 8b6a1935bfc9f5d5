import { readFile } from 'node:fs/promises';
import { variableOf } from '../core/connector.js';
import { MillraceError, messageOf } from '../core/errors.js';

// Secrets come from the environment or from files; messages never contain them.

/** A secret, or a function that reads it when it is needed. */
export type Secret = string | (() => Promise<string>);

/** A secret from the environment, or from a file that is read each time. */
export function secretOf<V extends string, F extends string>(
  settings: Readonly<Record<V | F, string>>,
  value: V,
  file: F,
): Secret | undefined {
  const [given, path]: readonly string[] = [settings[value], settings[file]];
  if (given && path) throw contradiction(file, `${value} is set too`, 'set only one of the two');
  if (path) return fileOf(file, path);
  return given || undefined;
}

export const fileOf = (setting: string, path: string) => async (): Promise<string> => {
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

export function required(secret: Secret | undefined, where: string, name: string): Secret {
  if (secret !== undefined) return secret;
  throw contradiction(where, `${name} is missing`, `set ${variableOf(name)}, or name a file with ${name}File`);
}

export const contradiction = (where: string, message: string, hint: string): MillraceError =>
  new MillraceError('config', message, { where, hint });
