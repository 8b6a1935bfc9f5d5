import type { RegistryFormat } from '../../../src/core/schema.js';

// The values of a case as we have them, and as clients of others do.

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;

function mapped(value: unknown, leaf: (value: unknown) => unknown): unknown {
  const found = leaf(value);
  if (found !== undefined || value === undefined) return found;
  if (Array.isArray(value)) return value.map((item) => mapped(item, leaf));
  if (!isObject(value) || value instanceof Uint8Array || value instanceof Date) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, mapped(inner, leaf)]));
}

/** Decimals as we have them: texts. */
export const oursOf = (value: unknown): unknown =>
  mapped(value, (each) => (isObject(each) && '$decimal' in each ? each.$decimal : undefined));

/** What goes to the client of others as JSON: with marks for what JSON has no type for; of Protobuf its own JSON. */
export const theirsOf = (format: RegistryFormat, value: unknown): unknown =>
  format === 'protobuf' ? protobufJson(value) : marked(value);

export const marked = (value: unknown): unknown =>
  mapped(value, (each) => {
    if (typeof each === 'bigint') {
      return Number.isSafeInteger(Number(each)) ? Number(each) : { $int: String(each) };
    }
    if (each instanceof Date) return { $time: each.getTime() };
    return each instanceof Uint8Array ? { $bytes: Buffer.from(each).toString('base64') } : undefined;
  });

/** 64 bits as text, bytes in base64, and nothing where nothing is. */
function protobufJson(value: unknown): unknown {
  const leaf = (each: unknown): unknown => {
    if (typeof each === 'bigint') return String(each);
    if (each instanceof Date) return each.toISOString().replace('.000Z', 'Z');
    return each instanceof Uint8Array ? Buffer.from(each).toString('base64') : undefined;
  };
  const absent = (inner: unknown): unknown =>
    isObject(inner) && !Array.isArray(inner)
      ? Object.fromEntries(
          Object.entries(inner)
            .filter(([, each]) => each !== null)
            .map(([k, v]) => [k, absent(v)]),
        )
      : Array.isArray(inner)
        ? inner.map(absent)
        : inner;
  return absent(mapped(value, leaf));
}
