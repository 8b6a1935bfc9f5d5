/** Numbers that share a byte of codes: 2 bits each, the first one lowest. */
const GROUP = 4;
/** How a number is written: not at all, as an integer of 16 bits, as a float32, or as it is. */
const ZERO = 0;
const INT_16 = 1;
const FLOAT_32 = 2;
const FLOAT_64 = 3;
const INT_16_MAX = 0xffff;

/** The most bytes that so many numbers take. */
export const compactBytesMax = (numbers: number): number => 8 * numbers + Math.ceil(numbers / GROUP);

/**
 * Writes numbers in as few bytes as keep all their bits, and returns where they end. Counts, links and zeros, which trees have many of,
 * take 2 bytes or none, features 4.
 */
export function writeCompact(values: Float64Array, from: number, to: number, into: DataView, at: number): number {
  // A NaN keeps its bits as integers alone.
  const words = new Uint32Array(values.buffer, values.byteOffset, 2 * values.length);
  let end = at;
  for (let group = from; group < to; group += GROUP) {
    const codesAt = end++;
    let codes = 0;
    for (let i = group; i < Math.min(group + GROUP, to); i++) {
      const value = values[i] as number;
      let code = FLOAT_64;
      if (value > 0 && value === (value & INT_16_MAX)) {
        code = INT_16;
        into.setUint16(end, value, true);
        end += 2;
      } else if (Object.is(value, 0)) code = ZERO;
      else if (Math.fround(value) === value) {
        code = FLOAT_32;
        into.setFloat32(end, value, true);
        end += 4;
      } else {
        into.setUint32(end, words[2 * i] as number, true);
        into.setUint32(end + 4, words[2 * i + 1] as number, true);
        end += 8;
      }
      codes |= code << (2 * (i - group));
    }
    into.setUint8(codesAt, codes);
  }
  return end;
}

/** Reads what `writeCompact` wrote, and returns where it ends. Throws a `RangeError` where there are fewer bytes. */
export function readCompact(from: DataView, at: number, values: Float64Array, start: number, to: number): number {
  const words = new Uint32Array(values.buffer, values.byteOffset, 2 * values.length);
  let end = at;
  for (let group = start; group < to; group += GROUP) {
    let codes = from.getUint8(end++);
    for (let i = group; i < Math.min(group + GROUP, to); i++, codes >>>= 2) {
      const code = codes & 3;
      if (code === ZERO) values[i] = 0;
      else if (code === INT_16) {
        values[i] = from.getUint16(end, true);
        end += 2;
      } else if (code === FLOAT_32) {
        values[i] = from.getFloat32(end, true);
        end += 4;
      } else {
        words[2 * i] = from.getUint32(end, true);
        words[2 * i + 1] = from.getUint32(end + 4, true);
        end += 8;
      }
    }
  }
  return end;
}
