import { createHash } from 'node:crypto';
import { MillraceError } from '../../src/core/errors.js';

/** The address without user, password and query, which may contain secrets. */
export function publicPartOf(url: string): string {
  try {
    const { protocol, host, pathname, username } = new URL(url);
    if (username !== '') throw new Error('it names a user');
    return `${protocol}//${host}${pathname.replaceAll(/%7Bkey%7D/gi, '{key}')}`;
  } catch {
    // Without the cause, which contains the whole address.
    throw new MillraceError('config', 'the address of a service is not a valid http or https URL', {
      hint: 'for example https://host/customers/{key}; put credentials into `headers`',
    });
  }
}

/**
 * Identifies an address without showing its query. Records of two addresses must have different identities, or sinks would take
 * those of one for repetitions of the other's.
 */
export function identityOf(url: string): string {
  const shown = publicPartOf(url); // throws for a wrong one
  const { search } = new URL(url);
  return search === '' ? shown : `${shown}?${createHash('sha256').update(search).digest('hex').slice(0, 8)}`;
}
