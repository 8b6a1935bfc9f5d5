import { MillraceError, messageOf } from './errors.js';
import type { Origin } from './record.js';

/**
 * The key of a record as a callback gave it, as bytes. Types say text; values that came in from outside may lack the field
 * all the same, and what is missing must not become an empty key that moves a record to another partition.
 *
 * @throws MillraceError `sink`, permanent, where it is no text.
 */
export function keyBytes(key: unknown): Uint8Array {
  if (typeof key === 'string') return Buffer.from(key);
  throw new MillraceError('sink', `the key is ${key === null ? 'null' : typeof key}, no text`, {
    hint: 'filter values without a key before, or let `key` give text for all of them',
    permanent: true,
  });
}

/**
 * What was thrown while a value was made into what a sink writes, as an error that names the sink and, where it is known,
 * the record that the value came of. The same value fails at every try.
 *
 * @example
 * try { bytes = codec.encode(value); } catch (error) { throw unwritable(error, step, origin); }
 */
export function unwritable(error: unknown, step: string, origin?: Origin): MillraceError {
  const at = origin ? ` at ${origin.topic}[${origin.partition}]@${origin.offset}` : '';
  if (!(error instanceof MillraceError)) {
    return new MillraceError('sink', `a callback of the sink threw: ${messageOf(error)}${at}`, {
      where: step,
      hint: '--verbose prints where it came from',
      permanent: true,
      cause: error,
    });
  }
  const { code, message, where, hint, permanent } = error;
  const details = { where: where === undefined ? step : `${step} (${where})`, permanent, cause: error };
  return new MillraceError(code, `${message}${at}`, hint === undefined ? details : { ...details, hint });
}
