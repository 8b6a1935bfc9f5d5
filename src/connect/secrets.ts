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

/** The same, read now; `undefined` where there is none, and for an empty file. */
export async function secretNow<V extends string, F extends string>(
  settings: Readonly<Record<V | F, string>>,
  value: V,
  file: F,
): Promise<string | undefined> {
  const secret = secretOf(settings, value, file);
  return (secret && (await revealed(secret))) || undefined;
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

/** The files and the name of a TLS connection. */
export interface TlsOptions {
  readonly ca?: Secret;
  readonly certificate?: Secret;
  readonly key?: Secret;
  readonly serverName?: string;
}

type TlsSettings<P extends string> = Readonly<Record<`${P}${'Ca' | 'Cert' | 'Key' | 'ServerName'}`, string>>;

/**
 * The TLS options of a connector from its settings `PREFIXCa`, `PREFIXCert`, `PREFIXKey` and `PREFIXServerName`. Without TLS they must
 * be empty, and `hint` says how to switch it on.
 *
 * @throws MillraceError `config` if the settings contradict each other.
 */
export function tlsOf<P extends string>(
  settings: TlsSettings<P>,
  prefix: P,
  { isOn, hint }: { readonly isOn: boolean; readonly hint: string },
): TlsOptions {
  const names = [`${prefix}Ca`, `${prefix}Cert`, `${prefix}Key`, `${prefix}ServerName`] as const;
  const idle = isOn ? undefined : names.find((name) => settings[name] !== '');
  if (idle) throw contradiction(idle, 'it has no effect without TLS', hint);
  const [caName, certName, keyName, serverName] = names;
  if ((settings[certName] === '') !== (settings[keyName] === '')) {
    const [there, missing] = settings[certName] === '' ? [keyName, certName] : [certName, keyName];
    throw contradiction(there, `${missing} is missing`, 'set both the certificate and its key');
  }
  const [ca, cert, key]: readonly string[] = [settings[caName], settings[certName], settings[keyName]];
  return {
    ...(ca && { ca: fileOf(caName, ca) }),
    ...(cert && key && { certificate: fileOf(certName, cert), key: fileOf(keyName, key) }),
    ...(settings[serverName] && { serverName: settings[serverName] }),
  };
}

export const revealed = async (credential: Secret): Promise<string> =>
  typeof credential === 'string' ? credential : credential();

export function required(secret: Secret | undefined, where: string, name: string): Secret {
  if (secret !== undefined) return secret;
  throw contradiction(where, `${name} is missing`, `set ${variableOf(name)}, or name a file with ${name}File`);
}

export const contradiction = (where: string, message: string, hint: string): MillraceError =>
  new MillraceError('config', message, { where, hint });
