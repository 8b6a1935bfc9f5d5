import { hashKey } from './hash.js';
import { keyedHash, setWord, wordAt } from './keyed-hash.js';
import { keyBytesMax, readKey, writeKey } from './packed-key.js';

// Keys as few bytes: as other packed keys, but a UUID is its 16 bytes. Its head has the type of integers, which have 4.

const INT_HEAD = (4 << 2) | 2;
/** The bits in which neighbours differ. */
const NEAR_BITS = 10;

const UUID_BYTES = 16;
const UUID_LENGTH = 36;
const UUID_HEAD = (UUID_BYTES << 2) | 2;
const DASH = 0x2d;
const NO_DIGIT = 0x80;
/** The digit of each ASCII character. */
const digits = Uint8Array.from({ length: 128 }, (_, code) => {
  const digit = '0123456789abcdef'.indexOf(String.fromCharCode(code));
  return digit < 0 ? NO_DIGIT : digit;
});

/** The largest size of a key with its head. */
export const compactKeyBytesMax = keyBytesMax;

/** Writes a key and returns its end. Different keys have different bytes. */
export function writeCompactKey(bytes: Uint8Array, at: number, key: string | number): number {
  if (typeof key === 'number') return (key | 0) === key ? writeInt(bytes, at, key) : writeKey(bytes, at, key);
  if (key.length !== UUID_LENGTH || !writeUuid(bytes, at + 1, key)) return writeKey(bytes, at, key);
  bytes[at] = UUID_HEAD;
  return at + 1 + UUID_BYTES;
}

function writeInt(bytes: Uint8Array, at: number, key: number): number {
  bytes[at] = INT_HEAD;
  setWord(bytes, at + 1, key);
  return at + 5;
}

export function readCompactKey(bytes: Uint8Array, at: number): string | number {
  if (bytes[at] !== UUID_HEAD) return readKey(bytes, at);
  const hex = Buffer.from(bytes.buffer, bytes.byteOffset + at + 1, UUID_BYTES).toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/**
 * A hash of a key, 32 bits with a sign, that nobody can foresee who does not know the secret, two words. 1,024 neighbouring integers
 * have the same first half and evenly spread second ones: ids that count up are found in the table that was read just before, and
 * seldom push each other away.
 */
export function hashCompactKey(secret: Uint32Array, bytes: Uint8Array, start: number, end: number): number {
  if (bytes[start] !== INT_HEAD) return keyedHash(secret, bytes, start, end);
  const key = wordAt(bytes, start + 1);
  const near = hashKey((key >> NEAR_BITS) ^ (secret[0] as number));
  return (near & 0xffff_0000) | ((near + (key << (16 - NEAR_BITS))) & 0xffff);
}

/** Whether a text of this length is a UUID in its canonical form, which is lower case. If so, its bytes are written. */
function writeUuid(bytes: Uint8Array, at: number, text: string): boolean {
  let next = at;
  for (let i = 0; i < UUID_LENGTH; ) {
    if (i === 8 || i === 13 || i === 18 || i === 23) {
      if (text.charCodeAt(i++) !== DASH) return false;
      continue;
    }
    const first = text.charCodeAt(i++);
    const second = text.charCodeAt(i++);
    const high = digits[first & 0x7f] as number;
    const low = digits[second & 0x7f] as number;
    if ((first | second) > 0x7f || (high | low) >= NO_DIGIT) return false;
    bytes[next++] = (high << 4) | low;
  }
  return true;
}
