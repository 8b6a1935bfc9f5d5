import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { lz4SizeMax, snappySize, zstdSizeMax } from '../../../connectors/kafka/protocol/decompressed-size.js';
import { type Lz4Frame, lz4Frame, lz4Frames, skippable, type ZstdFrame, zstdFrame, zstdFrames } from './frames.js';

const KIB = 1024;
const sum = (numbers: readonly number[]) => numbers.reduce((all, each) => all + each, 0);

describe('snappy', () => {
  const varint = (value: number): Buffer => {
    const bytes: number[] = [];
    let left = value;
    for (; left >= 0x80; left = Math.floor(left / 0x80)) bytes.push((left % 0x80) + 0x80);
    return Buffer.from([...bytes, left]);
  };

  it('begins with its size, in up to five bytes', () => {
    const sizes = fc.oneof(fc.constantFrom(0, 1, 127, 128, 16_383, 16_384, 2 ** 32 - 1), fc.nat(2 ** 32 - 1));
    fc.assert(
      fc.property(sizes, fc.uint8Array({ maxLength: 9 }), (size, rest) => {
        expect(snappySize(Buffer.concat([varint(size), rest]))).toBe(size);
      }),
    );
    const endless = Buffer.alloc(9, 0x81);
    expect(snappySize(endless)).toBe(1 + 2 ** 7 + 2 ** 14 + 2 ** 21 + 2 ** 28);
    expect(snappySize(endless.subarray(0, 2))).toBe(1 + 2 ** 7);
  });
});

describe('LZ4', () => {
  const mostOf = ({ blockId, blocks }: Lz4Frame) =>
    sum(blocks.map(({ isRaw, bytes }) => (isRaw ? bytes : 64 * 4 ** (blockId - 4) * KIB)));

  it('has as much as its raw blocks, and a whole block for each compressed one, over all frames', () => {
    fc.assert(
      fc.property(fc.array(lz4Frames, { maxLength: 3 }), fc.boolean(), (frames, hasRest) => {
        const rest = hasRest ? [Buffer.from('no frame at all')] : [];
        expect(lz4SizeMax(Buffer.concat([...frames.map(lz4Frame), ...rest]))).toBe(sum(frames.map(mostOf)));
      }),
    );
  });

  it('that ends within a frame has what its whole headers say', () => {
    const frame: Lz4Frame = {
      ...{ blockId: 4, hasSize: false, hasDictionary: false, hasBlockChecksums: false, hasChecksum: false },
      blocks: [
        { isRaw: true, bytes: 10 },
        { isRaw: false, bytes: 10 },
      ],
    };
    const bytes = lz4Frame(frame);
    const sizes = Array.from({ length: bytes.length + 1 }, (_, end) => lz4SizeMax(bytes.subarray(0, end)));
    expect(sizes).toEqual([
      ...Array(11).fill(0),
      ...Array(14).fill(10),
      ...Array(bytes.length - 24).fill(10 + 64 * KIB),
    ]);
    const odd = lz4Frame({ ...frame, blockId: 0 }); // a size that is not described: the largest
    expect(lz4SizeMax(odd)).toBe(10 + 4 * KIB * KIB);
  });
});

describe('Zstandard', () => {
  const mostOf = ({ blocks }: ZstdFrame) => sum(blocks.map(({ type, bytes }) => (type === 2 ? 128 * KIB : bytes)));

  it('has what its blocks say, and 128 KiB for each compressed one, over all frames', () => {
    const parts = fc.array(fc.oneof(zstdFrames, fc.record({ kind: fc.nat(15), skipped: fc.nat(40) })), {
      maxLength: 4,
    });
    fc.assert(
      fc.property(parts, fc.boolean(), (frames, hasRest) => {
        const bytes = frames.flatMap((each) =>
          'kind' in each ? [skippable(each.kind, each.skipped)] : zstdFrame(each),
        );
        const rest = hasRest ? [Buffer.from('no frame at all')] : [];
        const expected = sum(frames.map((each) => ('kind' in each ? 0 : mostOf(each))));
        expect(zstdSizeMax(Buffer.concat([...bytes, ...rest]))).toBe(expected);
      }),
      { numRuns: 300 },
    );
  });

  it('that ends within a frame has what its whole headers say', () => {
    const frame: ZstdFrame = {
      ...{ sizeFlag: 0, isSingle: false, hasChecksum: false, dictionaryFlag: 0, exponent: 0, eighths: 0, content: 1 },
      blocks: [
        { type: 1, bytes: 10 },
        { type: 2, bytes: 10 },
      ],
    };
    const bytes = Buffer.concat([skippable(3, 5), ...zstdFrame(frame)]);
    const sizes = Array.from({ length: bytes.length + 1 }, (_, end) => zstdSizeMax(bytes.subarray(0, end)));
    // 13 bytes are passed over; 6 are the header of the frame, 3 that of a block.
    expect(sizes).toEqual([
      ...Array(22).fill(0),
      ...Array(4).fill(10),
      ...Array(bytes.length - 25).fill(10 + 128 * KIB),
    ]);
    expect(zstdSizeMax(skippable(0, 9).subarray(0, 7))).toBe(0);
  });
});
