import { MillraceError } from '../../src/core/errors.js';

/**
 * A secret by the name of the variable that has it: topologies are data that is printed and hashed, so they hold the name.
 *
 * @throws MillraceError `config` where the variable is not set.
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
