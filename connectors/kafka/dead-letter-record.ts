import { createCipheriv, createDecipheriv, createHash, createHmac } from 'node:crypto';
import { MillraceError } from '../../src/core/errors.js';
import { type DeadLetter, type Headers, rawOf } from '../../src/core/record.js';
import { type DeadLetterSinkOptions, deadLetterHeaders, originHeaders, REPLAYED } from './topic-options.js';

// A dead letter holds the record as it was before any step masked it. `raw` says how much of it is written to the topic.

/** A record of a dead-letter topic, without timestamp and partition. */
export interface LetterRecord {
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly headers: Headers;
}

/** What `encrypt` encrypts: every part of the record and of the message that may contain personal data. */
interface Sealed {
  readonly key: string | null;
  readonly value: string | null;
  readonly headers: readonly (readonly [name: string, bytes: string])[];
  readonly detail: string;
}

const ALGORITHM = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/**
 * Parses the key for dead letters: 32 bytes in base64 or hexadecimal digits.
 *
 * @throws MillraceError `config` for anything else, without the text.
 */
export function letterKey(text: string): Buffer | undefined {
  if (text === '') return undefined;
  const bytes = Buffer.from(text, /^[0-9a-f]{64}$/i.test(text) ? 'hex' : 'base64');
  if (bytes.length === 32) return bytes;
  throw new MillraceError('config', 'MILLRACE_DEAD_LETTER_KEY is not a key of 32 bytes', {
    where: 'deadLetterKey',
    hint: 'create one with `openssl rand -base64 32`',
  });
}

/**
 * Returns the function that writes letters. Encryption is deterministic, as every output of a replay must be: the nonce is a MAC of
 * the content, so it repeats only with the content.
 *
 * @throws MillraceError `config` if letters must be encrypted and there is no key.
 */
export function letterWriter({ topic, raw = 'keep' }: DeadLetterSinkOptions, key: Buffer | undefined) {
  if (raw === 'encrypt' && key === undefined) {
    throw new MillraceError('config', 'dead letters must be encrypted, and there is no key', {
      where: topic,
      hint: 'set MILLRACE_DEAD_LETTER_KEY, for example to the output of `openssl rand -base64 32`',
      permanent: true,
    });
  }
  return (letter: DeadLetter): LetterRecord => {
    const { reason, detail, step, origin } = letter;
    const open: Headers = [
      [deadLetterHeaders.reason, Buffer.from(reason)],
      [deadLetterHeaders.detail, Buffer.from(raw === 'keep' ? detail : '')],
      [deadLetterHeaders.step, Buffer.from(step)],
      ...originHeaders(origin),
    ];
    const headers = origin.headers ?? [];
    if (raw === 'keep') {
      // A producer must not be able to mark its own record as encrypted.
      const others = headers.filter(([name]) => name !== deadLetterHeaders.raw);
      return { key: origin.key, value: rawOf(origin), headers: [...open, ...others] };
    }
    // Distinguishes letters that were sent again.
    const marked: Headers = [
      ...open,
      [deadLetterHeaders.raw, Buffer.from(raw)],
      ...headers.filter(([name]) => name === REPLAYED),
    ];
    if (raw === 'omit') return { key: null, value: null, headers: marked };
    const value = encrypt({ key: origin.key, value: rawOf(origin), headers, detail }, key as Buffer, placeIn(marked));
    return { key: null, value, headers: marked };
  };
}

/** For a record that is too large for the dead-letter topic: the most bytes of its value, and of the detail, that are kept. */
const FIRST_BYTES = 64 * 1024;
const DETAIL_BYTES = 1_024;
/** The size of a record in a batch without its key, value and headers, and of a header without its name and bytes. */
const RECORD_BYTES = 128;
const HEADER_BYTES = 10;

const sizeOf = ({ key, value, headers }: LetterRecord): number =>
  headers.reduce(
    (sum, [name, bytes]) => sum + Buffer.byteLength(name) + bytes.length + HEADER_BYTES,
    RECORD_BYTES + (key?.length ?? 0) + (value?.length ?? 0),
  );

/**
 * Fits a letter into the record size of a topic. A larger one keeps reason, step, origin, and the size, the SHA-256 digest and the
 * first bytes of the value; an encrypted or omitted one keeps nothing of the value.
 */
export function fittingLetter(letter: LetterRecord, bytesMax: number): LetterRecord {
  if (sizeOf(letter) <= bytesMax) return letter;
  const own = new Set<string>([...Object.values(deadLetterHeaders), REPLAYED]);
  const isKept = letter.headers.every(([name]) => name !== deadLetterHeaders.raw);
  const value = letter.value ?? new Uint8Array();
  const headers: Headers = letter.headers
    .filter(([name], place, all) => own.has(name) && all.findIndex(([each]) => each === name) === place)
    .map(
      ([name, bytes]) => [name, name === deadLetterHeaders.detail ? bytes.subarray(0, DETAIL_BYTES) : bytes] as const,
    )
    .filter(([name]) => name !== deadLetterHeaders.raw);
  if (!isKept) return { key: null, value: null, headers: [...headers, [deadLetterHeaders.raw, Buffer.from('omit')]] };
  const cut: LetterRecord = {
    key: null,
    value: null,
    headers: [
      ...headers,
      [deadLetterHeaders.raw, Buffer.from('cut')],
      [deadLetterHeaders.bytes, Buffer.from(String(value.length))],
      [deadLetterHeaders.digest, Buffer.from(createHash('sha256').update(value).digest('hex'))],
    ],
  };
  const room = Math.max(0, bytesMax - sizeOf(cut));
  const key = letter.key !== null && letter.key.length <= room / 2 ? letter.key : null;
  return { ...cut, key, value: value.subarray(0, Math.min(FIRST_BYTES, room - (key?.length ?? 0))) };
}

/**
 * Decrypts a letter.
 *
 * @throws MillraceError `config` if it was encrypted with another key, or was changed.
 */
export function decryptedLetter(
  { value, headers }: LetterRecord,
  key: Buffer,
  where: string,
): LetterRecord & { readonly detail: string } {
  try {
    const bytes = value ?? new Uint8Array();
    const decipher = createDecipheriv(ALGORITHM, key, bytes.subarray(0, NONCE_BYTES));
    decipher.setAAD(placeIn(headers)).setAuthTag(bytes.subarray(-TAG_BYTES));
    const text = [decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()];
    const sealed = JSON.parse(Buffer.concat(text).toString()) as Sealed;
    return {
      key: bytesOf(sealed.key),
      value: bytesOf(sealed.value),
      headers: sealed.headers.map(([name, bytes]) => [name, Buffer.from(bytes, 'base64')] as const),
      detail: sealed.detail,
    };
  } catch (cause) {
    throw new MillraceError('config', 'a dead letter cannot be decrypted', {
      where,
      hint: 'MILLRACE_DEAD_LETTER_KEY must be the key with which it was written',
      cause,
    });
  }
}

function encrypt(content: LetterRecord & { readonly detail: string }, key: Buffer, place: Buffer): Buffer {
  const sealed: Sealed = {
    key: base64Of(content.key),
    value: base64Of(content.value),
    headers: content.headers.map(([name, bytes]) => [name, Buffer.from(bytes).toString('base64')] as const),
    detail: content.detail,
  };
  const text = Buffer.from(JSON.stringify(sealed));
  const nonce = createHmac('sha256', key).update(place).update(text).digest().subarray(0, NONCE_BYTES);
  const cipher = createCipheriv(ALGORITHM, key, nonce).setAAD(place);
  return Buffer.concat([nonce, cipher.update(text), cipher.final(), cipher.getAuthTag()]);
}

/** The record that a letter belongs to, as additional authenticated data: encrypted content cannot be moved to another letter. */
function placeIn(headers: Headers): Buffer {
  const text = (name: string) => Buffer.from(headers.find(([each]) => each === name)?.[1] ?? []).toString();
  const { topic, partition, offset, step, reason } = deadLetterHeaders;
  return Buffer.from(JSON.stringify([topic, partition, offset, step, reason].map(text)));
}

const base64Of = (bytes: Uint8Array | null) => (bytes === null ? null : Buffer.from(bytes).toString('base64'));
const bytesOf = (text: string | null) => (text === null ? null : Buffer.from(text, 'base64'));
