import { DecodeFailure } from '../../src/schema/index.js';

/** Why something cannot be decoded; `a value` where it can. */
export function reasonOf(decode: () => unknown): string {
  try {
    decode();
  } catch (error) {
    if (error instanceof DecodeFailure) return error.reason;
    throw error;
  }
  return 'a value';
}
