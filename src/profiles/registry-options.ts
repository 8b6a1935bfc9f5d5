import { contradiction, required, revealed, secretOf } from '../connect/secrets.js';
import type { ConfluentRegistryOptions } from '../schema/index.js';
import type { Config } from './settings.js';

/** How the settings say that the registry is reached. @throws MillraceError `config` where settings contradict each other or one is missing. */
export async function registryOptions(config: Config): Promise<ConfluentRegistryOptions> {
  const { registry: url, registryUser: username } = config;
  const token = secretOf(config, 'registryToken', 'registryTokenFile');
  const password = secretOf(config, 'registryPassword', 'registryPasswordFile');
  if (token !== undefined && username !== '') {
    throw contradiction('registryUser', 'a token is set too', 'set only one of the two');
  }
  if (token !== undefined) return { url, auth: { token: await revealed(token) } };
  if (username === '') return { url };
  return { url, auth: { username, password: await revealed(required(password, 'registryUser', 'registryPassword')) } };
}
