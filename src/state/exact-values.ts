import { addExtension } from 'msgpackr';

// MessagePack strings are UTF-8, which cannot encode half of a surrogate pair, and msgpackr renames a field `__proto__`. Values
// with either are packed in another form: such strings as UTF-16, such objects as a list of their fields.

class Utf16Text {
  constructor(readonly text: string) {}
}

class FieldList {
  constructor(readonly fields: readonly (readonly [name: unknown, value: unknown])[]) {}
}

/** The numbers of the two forms among MessagePack's extension types; part of the stored format. */
const UTF16_TEXT = 1;
const FIELD_LIST = 2;

/** Makes msgpackr read and write the two forms. */
export function addExactForms(): void {
  addExtension({
    Class: Utf16Text,
    type: UTF16_TEXT,
    pack: ({ text }: Utf16Text) => Buffer.from(text, 'utf16le'),
    unpack: (bytes: Buffer) => Buffer.from(bytes).toString('utf16le'),
  });
  addExtension({
    Class: FieldList,
    type: FIELD_LIST,
    write: ({ fields }: FieldList) => fields,
    read: (fields: [string, unknown][]) => Object.fromEntries(fields),
  });
}

/**
 * Whether packed bytes may contain what they cannot return: a surrogate, its replacement character, or `__proto__`. Other values
 * may look the same.
 */
export function mayBeInexact(bytes: Uint8Array): boolean {
  for (let i = bytes.length - 3; i >= 0; i--) {
    const byte = bytes[i] as number;
    if (
      byte === 0xed ? (bytes[i + 1] as number) >= 0xa0 : byte === 0xef && bytes[i + 1] === 0xbf && bytes[i + 2] === 0xbd
    )
      return true;
    if (byte === 0x5f && bytes[i + 1] === 0x5f && bytes[i + 2] === 0x70) return true;
  }
  return false;
}

/**
 * Whether a value contains such a string or object. Bytes of numbers look like one once in a while, so a large value whose bytes
 * `mayBeInexact` seldom is.
 */
export function isInexact(value: unknown): boolean {
  if (typeof value === 'string') return !value.isWellFormed();
  if (typeof value !== 'object' || value === null || hasOwnForm(value)) return false;
  if (Array.isArray(value)) {
    // Not `for ... of`, which makes an object an element: buckets have long lists of numbers.
    for (let i = 0; i < value.length; i++) if (isInexact(value[i])) return true;
    return false;
  }
  if (value instanceof Set) {
    for (const each of value) if (isInexact(each)) return true;
    return false;
  }
  if (value instanceof Map) {
    for (const [key, of] of value) if (isInexact(key) || isInexact(of)) return true;
    return false;
  }
  for (const name of Object.keys(value)) {
    if (name === '__proto__' || !name.isWellFormed() || isInexact((value as Record<string, unknown>)[name]))
      return true;
  }
  return false;
}

/** The value, with each such string and object in its other form. */
export function exactForm(value: unknown): unknown {
  if (typeof value === 'string') return value.isWellFormed() ? value : new Utf16Text(value);
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(exactForm);
  if (value instanceof Map) return new Map([...value].map(([key, of]) => [exactForm(key), exactForm(of)]));
  if (value instanceof Set) return new Set([...value].map(exactForm));
  if (hasOwnForm(value)) return value;
  const fields = Object.entries(value).map(([name, of]) => [exactForm(name), exactForm(of)] as const);
  return fields.every(([name]) => typeof name === 'string' && name !== '__proto__')
    ? Object.fromEntries(fields)
    : new FieldList(fields);
}

/** Whether MessagePack or msgpackr has a type for it; other values are stored as their fields. */
const hasOwnForm = (value: object): boolean =>
  ArrayBuffer.isView(value) ||
  value instanceof ArrayBuffer ||
  value instanceof Date ||
  value instanceof Error ||
  value instanceof RegExp;
