/** Longer bytes are seldom repeated, and the entries: a power of two. */
const LENGTH_MAX = 24;
const ENTRIES = 1_024;

/**
 * Gives short bytes that come again as one object, such as keys, which are often few: views of each would be as many objects. Bytes are
 * remembered when they come a second time, since those that come once would only be copied. Nobody may change what it gives.
 *
 * Memory: 1,024 times 24 bytes, of which it keeps copies, and no view of what it is given.
 *
 * @example
 * const keys = new RecentBytes();
 * const key = keys.at(fetched, 17, 20);
 */
export class RecentBytes {
  private readonly known = new Array<Buffer>(ENTRIES).fill(Buffer.alloc(0));
  /** The hash of what came last, by entry. */
  private readonly seen = new Int32Array(ENTRIES);

  at(bytes: Buffer, from: number, to: number): Buffer {
    if (to - from > LENGTH_MAX) return bytes.subarray(from, to);
    let hash = 1;
    for (let i = from; i < to; i++) hash = (Math.imul(hash, 31) + (bytes[i] as number)) | 0;
    const entry = (hash ^ (hash >>> 10)) & (ENTRIES - 1);
    const known = this.known[entry] as Buffer;
    if (isAt(known, bytes, from, to)) return known;
    if (this.seen[entry] === hash) {
      const copy = Buffer.from(bytes.subarray(from, to));
      this.known[entry] = copy;
      return copy;
    }
    this.seen[entry] = hash;
    return bytes.subarray(from, to);
  }
}

function isAt(known: Buffer, bytes: Buffer, from: number, to: number): boolean {
  const { length } = known;
  if (length !== to - from) return false;
  for (let i = 0; i < length; i++) if (known[i] !== bytes[from + i]) return false;
  return true;
}
