import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readHybrid } from '../../../connectors/file/parquet-hybrid.js';

const varint = (value: number): number[] => (value < 128 ? [value] : [(value & 127) | 128, ...varint(value >>> 7)]);

/** Runs, and groups of eight values packed: as a writer has them. */
const written = fc.integer({ min: 0, max: 24 }).chain((width) => {
  const value = fc.integer({ min: 0, max: 2 ** width - 1 });
  const run = fc.tuple(fc.integer({ min: 1, max: 300 }), value).map(([count, each]) => ({
    values: Array<number>(count).fill(each),
    bytes: [...varint(count * 2), ...Array.from({ length: (width + 7) >> 3 }, (_, i) => (each >>> (8 * i)) & 255)],
  }));
  const packed = fc.array(value, { minLength: 1, maxLength: 40 }).map((some) => {
    const values = [...some, ...Array<number>((8 - (some.length % 8)) % 8).fill(0)];
    const bits = values.flatMap((each) => Array.from({ length: width }, (_, i) => (each >>> i) & 1));
    const bytes = Array.from({ length: bits.length / 8 }, (_, i) =>
      bits.slice(8 * i, 8 * i + 8).reduce((byte, bit, at) => byte | (bit << at), 0),
    );
    return { values, bytes: [...varint(((values.length / 8) << 1) | 1), ...bytes] };
  });
  return fc.record({ width: fc.constant(width), runs: fc.array(fc.oneof(run, packed), { maxLength: 6 }) });
});

describe('readHybrid', () => {
  it('reads runs and packed values of any width', () => {
    fc.assert(
      fc.property(written, ({ width, runs }) => {
        const values = runs.flatMap((each) => each.values);
        const bytes = Uint8Array.from([9, ...runs.flatMap((each) => each.bytes)]);
        const out = new Int32Array(values.length);
        readHybrid(bytes, 1, bytes.length, width, out, values.length);
        expect([...out]).toEqual(values);
      }),
    );
  });

  it('ends whatever the bytes, with as many values or an error', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), fc.nat(33), fc.nat(1_000), (bytes, width, count) => {
        try {
          readHybrid(bytes, 0, bytes.length, width, new Int32Array(count), count);
        } catch (error) {
          expect((error as Error).message).toContain('a page is damaged');
        }
      }),
      { numRuns: 2_000 },
    );
  });
});
