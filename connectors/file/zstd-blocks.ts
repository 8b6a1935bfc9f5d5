const MAGIC = 0xfd2fb528;
const SKIPPABLE_MAGIC = 0x184d2a5;
const BLOCK_BYTES_MAX = 128 * 1024;
/** The limit of `zstd -d`: a frame states how much memory it needs, and may state anything. */
const WINDOW_BYTES_MAX = 128 * 1024 * 1024;

/**
 * Cuts compressed bytes behind each block of a zstd frame. A block becomes 128 KiB at most, and may be as short as four bytes:
 * a decompressor that is given many of them at a time makes as much of them as they like. Source: RFC 8878, 3.1.
 *
 * Memory: a header that has not come whole. Bytes that are no frame pass as they are: the decompressor will refuse them.
 *
 * @throws Error for a block or a window that is larger than allowed.
 * @example
 * for (const part of blocks.cut(piece)) decompress.push(part);
 */
export class ZstdBlocks {
  /** Bytes that the decompressor keeps of the present frame. */
  windowBytes = 0;
  private head: number[] = [];
  /** Bytes to the next header. */
  private left = 0;
  private inFrame = false;
  private hasChecksum = false;

  *cut(bytes: Uint8Array): Generator<Uint8Array> {
    let start = 0;
    for (let at = 0; at < bytes.length; ) {
      if (this.left > 0) {
        const taken = Math.min(this.left, bytes.length - at);
        this.left -= taken;
        at += taken;
      } else {
        this.head.push(bytes[at++] as number);
        if (!this.takeHead()) continue;
        this.head = [];
      }
      if (this.left > 0) continue;
      yield bytes.subarray(start, at);
      start = at;
    }
    if (start < bytes.length) yield bytes.subarray(start);
  }

  /** Whether the header is whole; then `left` says what follows. */
  private takeHead(): boolean {
    const { head } = this;
    if (this.inFrame) {
      if (head.length < 3) return false;
      const header = little(head, 0, 3);
      const size = header >>> 3;
      if (size > BLOCK_BYTES_MAX) throw new Error(`a block of ${size} bytes`);
      const isRun = ((header >> 1) & 3) === 1;
      this.left = isRun ? 1 : size;
      if ((header & 1) === 1) {
        this.inFrame = false;
        this.left += this.hasChecksum ? 4 : 0;
      }
      return true;
    }
    if (head.length < 5) return false;
    const magic = little(head, 0, 4);
    if (Math.floor(magic / 16) === SKIPPABLE_MAGIC) {
      if (head.length < 8) return false;
      this.left = little(head, 4, 4);
      return true;
    }
    if (magic !== MAGIC) {
      this.left = Number.POSITIVE_INFINITY;
      return true;
    }
    const descriptor = head[4] as number;
    const isSingle = (descriptor & 0x20) !== 0;
    const sizeAt = 5 + (isSingle ? 0 : 1) + ([0, 1, 2, 4][descriptor & 3] as number);
    const sizeBytes = [isSingle ? 1 : 0, 2, 4, 8][descriptor >> 6] as number;
    if (head.length < sizeAt + sizeBytes) return false;
    const [exponent, mantissa] = [(head[5] as number) >> 3, (head[5] as number) & 7];
    const windowBytes = isSingle ? little(head, sizeAt, sizeBytes) : 2 ** (10 + exponent) * (1 + mantissa / 8);
    if (windowBytes > WINDOW_BYTES_MAX) throw new Error(`a frame that needs a window of ${windowBytes} bytes`);
    this.windowBytes = windowBytes;
    this.inFrame = true;
    this.hasChecksum = (descriptor & 4) !== 0;
    return true;
  }
}

const little = (bytes: readonly number[], from: number, count: number): number => {
  let number = 0;
  for (let i = count - 1; i >= 0; i--) number = number * 256 + (bytes[from + i] as number);
  return number;
};
