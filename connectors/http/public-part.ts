import { createHash } from 'node:crypto';
import { MillraceError } from '../../src/core/errors.js';

/** The address without user, password and query: they may hold secrets. */
export function publicPartOf(url: string): string {
  try {
    const { protocol, host, pathname, username } = new URL(url);
    if (username !== '') throw new Error('it names a user');
    return `${protocol}//${host}${pathname.replaceAll(/%7Bkey%7D/gi, '{key}')}`;
  } catch {
    // Without the cause, which has the whole address.
    throw new MillraceError('config', 'the address of a service is none that can be asked', {
      hint: 'it looks like https://host/customers/{key}; who asks is said in `headers`',
    });
  }
}

/**
 * What tells two addresses apart without saying what their queries hold: records of both would otherwise have the same
 * identity, and sinks would take those of one for repetitions of the other's.
 */
export function identityOf(url: string): string {
  const shown = publicPartOf(url); // says what is wrong with one that is none
  const { search } = new URL(url);
  return search === '' ? shown : `${shown}?${createHash('sha256').update(search).digest('hex').slice(0, 8)}`;
}
