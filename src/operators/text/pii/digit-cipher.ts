import { createHmac } from 'node:crypto';
import { createRequire } from 'node:module';

/** The least number of digits whose encryption cannot be undone by trying: NIST asks for a million possible values. */
const FORMAT_DIGITS_MIN = 6;

/**
 * Makes of each number another one of the same form: its digits are encrypted among themselves, all else stays. The same number
 * becomes the same one again, different ones stay different, and who has the key can take it back.
 *
 * Source: FF1 of NIST SP 800-38G. The library is loaded here, by the step that needs it.
 */
export function digitCipher(secret: string | Uint8Array, kind: string): (found: string) => string {
  const { FF1 } = createRequire(import.meta.url)('@noble/ciphers/ff1.js') as typeof import('@noble/ciphers/ff1.js');
  const key = createHmac('sha256', secret).update('format-preserving').digest();
  const cipher = FF1(10, new Uint8Array(key), new TextEncoder().encode(kind));
  return (found) => {
    const digits = [...found.matchAll(/\d/g)].map(([digit]) => Number(digit));
    if (digits.length < FORMAT_DIGITS_MIN) return found.replace(/\d/g, '*');
    const encrypted = cipher.encrypt(digits);
    let at = 0;
    return found.replace(/\d/g, () => String(encrypted[at++]));
  };
}
