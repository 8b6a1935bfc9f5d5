// Upper bounds of decompressed sizes, computed from the headers of frames and blocks before anything is decompressed. Bytes that
// are not frames end the computation; the decompressor reports them.

const KIB = 1024;

/** Raw snappy begins with the decompressed length as a varint. */
export function snappySize(bytes: Buffer): number {
  let size = 0;
  for (let at = 0; at < 5 && at < bytes.length; at += 1) {
    const byte = bytes[at] as number;
    size += (byte & 0x7f) * 2 ** (7 * at);
    if (byte < 0x80) break;
  }
  return size;
}

const LZ4 = 0x184d2204;
const lz4BlockKib: Readonly<Record<number, number>> = { 4: 64, 5: 256, 6: KIB, 7: 4 * KIB };

/** No block is larger than the maximum in its frame's header. Source: "LZ4 Frame Format Description", 1.6. */
export function lz4SizeMax(bytes: Buffer): number {
  let size = 0;
  let at = 0;
  while (at + 7 <= bytes.length && bytes.readUInt32LE(at) === LZ4) {
    const flags = bytes[at + 4] as number;
    const blockBytes = (lz4BlockKib[((bytes[at + 5] as number) >> 4) & 7] ?? 4 * KIB) * KIB;
    at += 7 + (flags & 0x08 ? 8 : 0) + (flags & 0x01 ? 4 : 0);
    for (;;) {
      if (at + 4 > bytes.length) return size;
      const header = bytes.readUInt32LE(at);
      at += 4;
      if (header === 0) break;
      const isRaw = header >= 0x8000_0000;
      const length = isRaw ? header - 0x8000_0000 : header;
      size += isRaw ? length : blockBytes;
      at += length + (flags & 0x10 ? 4 : 0);
    }
    at += flags & 0x04 ? 4 : 0;
  }
  return size;
}

const ZSTD = 0xfd2fb528;
const ZSTD_BLOCK_BYTES = 128 * KIB;

/** Blocks are at most 128 KiB; run-length blocks state their length. Source: RFC 8878, 3.1.1. */
export function zstdSizeMax(bytes: Buffer): number {
  let size = 0;
  let at = 0;
  while (at + 5 <= bytes.length) {
    const magic = bytes.readUInt32LE(at);
    if (magic >= 0x184d2a50 && magic <= 0x184d2a5f) {
      if (at + 8 > bytes.length) return size;
      at += 8 + bytes.readUInt32LE(at + 4); // a skippable frame
      continue;
    }
    if (magic !== ZSTD) return size;
    const descriptor = bytes[at + 4] as number;
    const isSingle = (descriptor & 0x20) !== 0;
    const contentSizeBytes = [isSingle ? 1 : 0, 2, 4, 8][descriptor >> 6] as number;
    at += 5 + (isSingle ? 0 : 1) + ([0, 1, 2, 4][descriptor & 3] as number) + contentSizeBytes;
    for (let isLast = false; !isLast; ) {
      if (at + 3 > bytes.length) return size;
      const header = bytes.readUIntLE(at, 3);
      isLast = (header & 1) !== 0;
      const type = (header >> 1) & 3;
      const length = header >> 3;
      size += type === 2 ? ZSTD_BLOCK_BYTES : length;
      at += 3 + (type === 1 ? 1 : length);
    }
    at += descriptor & 0x04 ? 4 : 0;
  }
  return size;
}
