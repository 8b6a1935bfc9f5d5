// Keys as bytes: a head (the length in bytes and two bits of type, as a varint) and the key. Strings keep every code unit,
// including lone surrogates: one byte each if all fit, otherwise two.

const LATIN1 = 0;
const UTF16 = 1;
const INT32 = 2;
const FLOAT64 = 3;

const float = new Float64Array(1);
const floatBytes = new Uint8Array(float.buffer);

/** The largest size of a key with its head. */
export const keyBytesMax = (key: string | number): number => 5 + (typeof key === 'string' ? 2 * key.length : 8);

/** Writes a key and returns its end. */
export function writeKey(bytes: Uint8Array, at: number, key: string | number): number {
  if (typeof key === 'string') return writeText(bytes, at, key);
  if ((key | 0) === key) {
    const start = writeVarint(bytes, at, (4 << 2) | INT32);
    for (let i = 0; i < 4; i++) bytes[start + i] = key >>> (8 * i);
    return start + 4;
  }
  float[0] = key;
  const start = writeVarint(bytes, at, (8 << 2) | FLOAT64);
  bytes.set(floatBytes, start);
  return start + 8;
}

/** The end of the key at `at`; beyond the bytes if they are damaged. */
export function keyEnd(bytes: Uint8Array, at: number): number {
  const first = bytes[at] as number;
  return first < 0x80 ? at + 1 + (first >>> 2) : varintEnd(bytes, at) + (readVarint(bytes, at) >>> 2);
}

export function readKey(bytes: Uint8Array, at: number): string | number {
  const head = readVarint(bytes, at);
  const start = varintEnd(bytes, at);
  const end = start + (head >>> 2);
  const type = head & 3;
  if (type === LATIN1) return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('latin1');
  if (type === UTF16) return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('utf16le');
  if (type === INT32) return int32At(bytes, start);
  floatBytes.set(bytes.subarray(start, end));
  return float[0] as number;
}

/** Keys as bytes, for other rooms. */
export const packedKey = { bytesMax: keyBytesMax, write: writeKey, read: readKey } as const;

/** Whether the key at `at` equals this one. */
export function isKey(bytes: Uint8Array, at: number, key: string | number): boolean {
  const head = readVarint(bytes, at);
  const start = head < 0x80 ? at + 1 : varintEnd(bytes, at);
  const type = head & 3;
  if (typeof key === 'string') {
    const { length } = key;
    if (type === LATIN1) {
      if (head >>> 2 !== length) return false;
      for (let i = 0; i < length; i++) if (bytes[start + i] !== key.charCodeAt(i)) return false;
      return true;
    }
    if (type !== UTF16 || head >>> 2 !== 2 * length) return false;
    for (let i = 0; i < length; i++) {
      const code = key.charCodeAt(i);
      if (bytes[start + 2 * i] !== (code & 0xff) || bytes[start + 2 * i + 1] !== code >>> 8) return false;
    }
    return true;
  }
  if (type === INT32) return int32At(bytes, start) === key;
  if (type !== FLOAT64) return false;
  float[0] = key;
  for (let i = 0; i < 8; i++) if (bytes[start + i] !== floatBytes[i]) return false;
  return true;
}

export function writeVarint(bytes: Uint8Array, at: number, value: number): number {
  let left = value;
  let next = at;
  while (left > 0x7f) {
    bytes[next++] = (left & 0x7f) | 0x80;
    left >>>= 7;
  }
  bytes[next] = left;
  return next + 1;
}

export function readVarint(bytes: Uint8Array, at: number): number {
  let byte = bytes[at] as number;
  if (byte < 0x80) return byte;
  let value = byte & 0x7f;
  for (let shift = 7, next = at + 1; byte & 0x80; shift += 7) {
    byte = bytes[next++] as number; // undefined beyond the end, which ends the loop
    value |= (byte & 0x7f) << shift;
  }
  return value >>> 0;
}

export function varintEnd(bytes: Uint8Array, at: number): number {
  let next = at;
  while ((bytes[next] as number) & 0x80) next++;
  return next + 1;
}

function writeText(bytes: Uint8Array, at: number, key: string): number {
  const { length } = key;
  let start = writeVarint(bytes, at, (length << 2) | LATIN1);
  let wide = false;
  for (let i = 0; i < length && !wide; i++) {
    const code = key.charCodeAt(i);
    bytes[start + i] = code;
    wide = code > 0xff;
  }
  if (!wide) return start + length;
  start = writeVarint(bytes, at, ((2 * length) << 2) | UTF16);
  for (let i = 0; i < length; i++) {
    const code = key.charCodeAt(i);
    bytes[start + 2 * i] = code;
    bytes[start + 2 * i + 1] = code >>> 8;
  }
  return start + 2 * length;
}

const int32At = (bytes: Uint8Array, at: number): number =>
  (bytes[at] as number) |
  ((bytes[at + 1] as number) << 8) |
  ((bytes[at + 2] as number) << 16) |
  ((bytes[at + 3] as number) << 24);
