import fc from 'fast-check';

// Frames of LZ4 and Zstandard, written from their descriptions and not decompressible: headers, and blocks of zeros.

const u32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
};

export interface Lz4Frame {
  /** 4 to 7: blocks of 64 KiB, 256 KiB, 1 MiB, 4 MiB. */
  readonly blockId: number;
  readonly hasSize: boolean;
  readonly hasDictionary: boolean;
  readonly hasBlockChecksums: boolean;
  readonly hasChecksum: boolean;
  readonly blocks: readonly { readonly isRaw: boolean; readonly bytes: number }[];
}

/** "LZ4 Frame Format Description", 1.6. */
export const lz4Frame = (frame: Lz4Frame): Buffer => {
  const { blockId, hasSize, hasDictionary, hasBlockChecksums, hasChecksum, blocks } = frame;
  const flags =
    0x40 | (hasBlockChecksums ? 0x10 : 0) | (hasSize ? 0x08 : 0) | (hasChecksum ? 0x04 : 0) | (hasDictionary ? 1 : 0);
  return Buffer.concat([
    u32(0x184d2204),
    Buffer.from([flags, blockId << 4]),
    Buffer.alloc((hasSize ? 8 : 0) + (hasDictionary ? 4 : 0) + 1, 0xff),
    ...blocks.flatMap(({ isRaw, bytes }) => [
      u32(isRaw ? 0x8000_0000 + bytes : bytes),
      Buffer.alloc(bytes + (hasBlockChecksums ? 4 : 0), 0xff),
    ]),
    u32(0),
    Buffer.alloc(hasChecksum ? 4 : 0, 0xff),
  ]);
};

export const lz4Frames: fc.Arbitrary<Lz4Frame> = fc.record({
  blockId: fc.integer({ min: 4, max: 7 }),
  hasSize: fc.boolean(),
  hasDictionary: fc.boolean(),
  hasBlockChecksums: fc.boolean(),
  hasChecksum: fc.boolean(),
  blocks: fc.array(fc.record({ isRaw: fc.boolean(), bytes: fc.integer({ min: 1, max: 300 }) }), { maxLength: 4 }),
});

export interface ZstdFrame {
  /** Bytes of the content's size in the header are 0 (or 1), 2, 4, 8. */
  readonly sizeFlag: number;
  readonly isSingle: boolean;
  readonly hasChecksum: boolean;
  /** Bytes of the dictionary's id: 0, 1, 2, 4. */
  readonly dictionaryFlag: number;
  /** The window is 2^(10 + exponent), and so many eighths of it more. */
  readonly exponent: number;
  readonly eighths: number;
  /** The size of the content, which is the window of a single segment. */
  readonly content: number;
  /** Blocks that are raw, repeat a byte, or are compressed. */
  readonly blocks: readonly { readonly type: 0 | 1 | 2; readonly bytes: number }[];
}

/** RFC 8878, 3.1.1: the frame in the parts behind which its blocks end, the header first. */
export function zstdFrame(frame: ZstdFrame): Buffer[] {
  const { sizeFlag, isSingle, hasChecksum, dictionaryFlag, exponent, eighths, content, blocks } = frame;
  const descriptor = (sizeFlag << 6) | (isSingle ? 0x20 : 0) | (hasChecksum ? 4 : 0) | dictionaryFlag;
  const sizeBytes = [isSingle ? 1 : 0, 2, 4, 8][sizeFlag] as number;
  const size = Buffer.alloc(8);
  size.writeUInt32LE(content);
  const header = Buffer.concat([
    u32(0xfd2fb528),
    Buffer.from(isSingle ? [descriptor] : [descriptor, (exponent << 3) | eighths]),
    Buffer.alloc([0, 1, 2, 4][dictionaryFlag] as number, 0xff),
    size.subarray(0, sizeBytes),
  ]);
  const parts = blocks.map(({ type, bytes }, i) => {
    const head = Buffer.alloc(3);
    const isLast = i === blocks.length - 1;
    head.writeUIntLE((bytes << 3) | (type << 1) | (isLast ? 1 : 0), 0, 3);
    const checksum = isLast && hasChecksum ? 4 : 0;
    return Buffer.concat([head, Buffer.alloc((type === 1 ? 1 : bytes) + checksum, 0xff)]);
  });
  return [header, ...parts];
}

export const zstdFrames: fc.Arbitrary<ZstdFrame> = fc.record({
  sizeFlag: fc.integer({ min: 0, max: 3 }),
  isSingle: fc.boolean(),
  hasChecksum: fc.boolean(),
  dictionaryFlag: fc.integer({ min: 0, max: 3 }),
  exponent: fc.integer({ min: 0, max: 16 }),
  eighths: fc.integer({ min: 0, max: 7 }),
  content: fc.integer({ min: 1, max: 255 }),
  blocks: fc.array(
    fc.record({ type: fc.constantFrom(0 as const, 1 as const, 2 as const), bytes: fc.integer({ min: 0, max: 300 }) }),
    { minLength: 1, maxLength: 4 },
  ),
});

/** RFC 8878, 3.1.2. */
export const skippable = (kind: number, bytes: number): Buffer =>
  Buffer.concat([u32(0x184d2a50 + kind), u32(bytes), Buffer.alloc(bytes, 0xff)]);
