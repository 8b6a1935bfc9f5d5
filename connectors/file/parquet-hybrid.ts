// The hybrid of run lengths and packed bits in which Parquet has levels and places in dictionaries.

/** Bytes that are not what their headers say. */
export const damaged = (problem: string): Error => new Error(`a page is damaged: ${problem}`);

/** Bits of the widest value that is read here; wider ones are no places in any dictionary that a memory holds. */
const WIDTH_MAX = 24;

/** A run: so many values, all alike or packed, whose bytes begin at `at`. */
interface Run {
  readonly at: number;
  readonly packed: boolean;
  readonly count: number;
  readonly end: number;
}

function runAt(bytes: Uint8Array, start: number, end: number, width: number): Run {
  let at = start;
  let header = 0;
  for (let shift = 0; ; shift += 7) {
    if (at >= end || shift > 28) throw damaged('runs end early');
    const byte = bytes[at++] as number;
    header += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) break;
  }
  const half = Math.floor(header / 2);
  const packed = header % 2 === 1;
  return packed
    ? { at, packed, count: half * 8, end: at + half * width }
    : { at, packed, count: half, end: at + ((width + 7) >> 3) };
}

/** Reads `count` values of `width` bits into `out`; never more, whatever the bytes. */
export function readHybrid(
  bytes: Uint8Array,
  start: number,
  end: number,
  width: number,
  out: Int32Array,
  count: number,
): void {
  if (width > WIDTH_MAX) throw damaged(`values of ${width} bits`);
  let at = start;
  for (let seen = 0; seen < count; ) {
    const run = runAt(bytes, at, end, width);
    const taken = Math.min(run.count, count - seen);
    if (run.at + (run.packed ? Math.ceil((taken * width) / 8) : (width + 7) >> 3) > end) {
      throw damaged('runs end early');
    }
    if (run.packed) unpack(bytes, run.at, width, out, seen, seen + taken);
    else out.fill(valueAt(bytes, run.at, width), seen, seen + taken);
    seen += taken;
    at = run.end;
  }
}

function valueAt(bytes: Uint8Array, at: number, width: number): number {
  let value = 0;
  for (let i = 0; i < (width + 7) >> 3; i++) value |= (bytes[at + i] as number) << (8 * i);
  return value;
}

function unpack(bytes: Uint8Array, start: number, width: number, out: Int32Array, from: number, to: number): void {
  if (width === 0) {
    out.fill(0, from, to);
    return;
  }
  const mask = (1 << width) - 1;
  let at = start;
  let held = 0;
  let bits = 0;
  for (let i = from; i < to; i++) {
    while (bits < width) {
      held |= (bytes[at++] as number) << bits;
      bits += 8;
    }
    out[i] = held & mask;
    held >>>= width;
    bits -= width;
  }
}
