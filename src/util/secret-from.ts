import { MillraceError } from '../core/errors.js';

/**
 * Reads a secret from an environment variable. Topologies are data that is printed and hashed, so they contain only the variable's
 * name.
 *
 * @throws MillraceError `config` if the variable is not set.
 */
export function secretFrom(variable: string, where: string): string {
  const secret = process.env[variable];
  if (secret) return secret;
  throw new MillraceError('config', `the variable ${variable} is not set`, {
    where,
    hint: 'set it in the environment of the topology',
    permanent: true,
  });
}
