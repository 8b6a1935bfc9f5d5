import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ZstdBlocks } from '../../../connectors/file/zstd-blocks.js';
import { skippable, type ZstdFrame, zstdFrame, zstdFrames } from '../kafka/frames.js';

const MIB = 1024 * 1024;
const frame: ZstdFrame = {
  ...{ sizeFlag: 0, isSingle: false, hasChecksum: false, dictionaryFlag: 0, exponent: 0, eighths: 0, content: 1 },
  blocks: [{ type: 0, bytes: 3 }],
};

/** What is cut of bytes that come in pieces of this size, and the window after each part. */
function cut(bytes: Buffer, pieceBytes = bytes.length) {
  const blocks = new ZstdBlocks();
  const parts: Buffer[] = [];
  const windows: number[] = [];
  for (let from = 0; from < bytes.length; from += pieceBytes)
    for (const part of blocks.cut(bytes.subarray(from, from + pieceBytes))) {
      parts.push(Buffer.from(part));
      windows.push(blocks.windowBytes);
    }
  return { parts, windows };
}

describe('ZstdBlocks', () => {
  it('cuts behind the header of each frame and behind each block', () => {
    const parts = fc.array(fc.oneof(zstdFrames, fc.record({ kind: fc.nat(15), skipped: fc.nat(40) })), {
      minLength: 1,
      maxLength: 3,
    });
    fc.assert(
      fc.property(parts, (frames) => {
        const expected = frames.flatMap((each) =>
          'kind' in each ? [skippable(each.kind, each.skipped)] : zstdFrame(each),
        );
        const found = cut(Buffer.concat(expected)).parts;
        expect(found.map((part) => part.toString('hex'))).toEqual(expected.map((part) => part.toString('hex')));
      }),
      { numRuns: 200 },
    );
  });

  it('gives every byte once, in whatever pieces they come', () => {
    const pieces = fc.integer({ min: 1, max: 40 });
    fc.assert(
      fc.property(fc.array(zstdFrames, { minLength: 1, maxLength: 2 }), pieces, (frames, pieceBytes) => {
        const bytes = Buffer.concat(frames.flatMap(zstdFrame));
        expect(Buffer.concat(cut(bytes, pieceBytes).parts).equals(bytes)).toBe(true);
      }),
    );
  });

  it('says how much the decompressor keeps of the present frame', () => {
    const windowOf = (given: Partial<ZstdFrame>) => cut(Buffer.concat(zstdFrame({ ...frame, ...given }))).windows[0];
    expect([0, 1, 10].map((exponent) => windowOf({ exponent }))).toEqual([1_024, 2_048, MIB]);
    expect(windowOf({ exponent: 10, eighths: 3 })).toBe((MIB * 11) / 8);
    for (const sizeFlag of [0, 1, 2, 3])
      for (const dictionaryFlag of [0, 1, 2, 3])
        expect(windowOf({ isSingle: true, sizeFlag, dictionaryFlag, content: 200, exponent: 9 })).toBe(200);
    expect(windowOf({ isSingle: true, sizeFlag: 2, content: 70_000 })).toBe(70_000);
  });

  it('refuses windows above 128 MiB, and blocks above 128 KiB', () => {
    const take = (given: Partial<ZstdFrame>) => cut(Buffer.concat(zstdFrame({ ...frame, ...given })));
    expect(take({ exponent: 17 }).windows[0]).toBe(128 * MIB);
    expect(() => take({ exponent: 17, eighths: 1 })).toThrow(`a frame that needs a window of ${144 * MIB} bytes`);
    expect(take({ isSingle: true, sizeFlag: 2, content: 128 * MIB }).windows[0]).toBe(128 * MIB);
    expect(() => take({ isSingle: true, sizeFlag: 2, content: 128 * MIB + 1 })).toThrow('a frame that needs a window');
    expect(take({ blocks: [{ type: 0, bytes: 131_072 }] }).parts).toHaveLength(2);
    expect(() => take({ blocks: [{ type: 1, bytes: 131_073 }] })).toThrow('a block of 131073 bytes');
  });

  it('passes on what is no frame, also behind one: the decompressor refuses it', () => {
    const bytes = Buffer.concat([...zstdFrame(frame), Buffer.from('no frame at all')]);
    const { parts } = cut(bytes);
    expect(Buffer.concat(parts).equals(bytes)).toBe(true);
    expect(parts).toHaveLength(3);
    expect(cut(Buffer.from('plain text')).parts.map(String)).toEqual(['plain text']);
  });
});
