/**
 * The approximate size of a value in bytes. A character counts as one byte, as V8 stores Latin text.
 *
 * `objectBytes` is the size of a list or an object besides its content: almost nothing in an encoding, about 48 in memory.
 *
 * @example
 * roughBytes({ id: 'a', n: 1 }); // 8 + 'id'.length + 1 + 'n'.length + 8
 */
export function roughBytes(value: unknown, objectBytes = 8): number {
  if (typeof value === 'string') return value.length;
  if (typeof value !== 'object' || value === null) return 8;
  if (ArrayBuffer.isView(value)) return value.byteLength;
  let bytes = objectBytes;
  if (Array.isArray(value) || value instanceof Set) {
    for (const each of value) bytes += roughBytes(each, objectBytes);
  } else if (value instanceof Map) {
    for (const [key, each] of value) bytes += roughBytes(key, objectBytes) + roughBytes(each, objectBytes);
  } else {
    for (const key in value) {
      bytes += key.length + roughBytes((value as Record<string, unknown>)[key], objectBytes);
    }
  }
  return bytes;
}
