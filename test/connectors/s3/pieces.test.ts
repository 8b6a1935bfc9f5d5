import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Buckets } from '../../../connectors/s3/bucket.js';
import { BucketPart } from '../../../connectors/s3/bucket-part.js';
import { Memory } from '../../../connectors/s3/memory.js';
import { PackedPartWriter } from '../../../connectors/s3/packed-part-writer.js';
import { inParts, nothingKept, PART_BYTES_MIN, PIECE_BYTES, Pieces, pathsOf } from '../../../connectors/s3/pieces.js';

/** A store that keeps objects in memory, and the paths that were fetched. */
function store() {
  const objects = new Map<string, Uint8Array>();
  const fetched: string[] = [];
  const buckets: Partial<Buckets> = {
    put: async (path, body) => void objects.set(path, Buffer.from(body)),
    bytes: async (path) => {
      fetched.push(path);
      const body = objects.get(path);
      if (!body) throw new Error(`no ${path}`);
      return Uint8Array.from(body);
    },
  };
  return { buckets: buckets as Buckets, objects, fetched };
}
const pathOf = (claim: string, n: number) => `${claim}/${n}`;
const textOf = async (bodies: AsyncIterable<Uint8Array>) => {
  const texts: string[] = [];
  for await (const body of bodies) texts.push(Buffer.from(body).toString());
  return texts;
};

describe('pieces', () => {
  it('are numbered on under each claim, and come in the order in which they were stored', async () => {
    const { buckets, objects, fetched } = store();
    const first = new Pieces(buckets, new Memory(1_000), 'a', pathOf, nothingKept);
    for (const text of ['one', 'two', 'three']) await first.put(Buffer.from(text));
    expect(first.runs).toEqual([{ claim: 'a', from: 0, count: 3 }]);
    const second = new Pieces(buckets, new Memory(4), 'b', pathOf, { ...nothingKept, runs: first.runs, bytes: 11 });
    expect(await second.put(Buffer.from('four'))).toEqual({ claim: 'b', from: 0, count: 1 });
    await second.put(Buffer.from('five'));
    expect([second.bytes, pathsOf(second.runs, pathOf)]).toEqual([19, ['a/0', 'a/1', 'a/2', 'b/0', 'b/1']]);
    expect([...objects.keys()]).toEqual(pathsOf(second.runs, pathOf));
    expect(await textOf(second.bodiesOf(second.runs))).toEqual(['one', 'two', 'three', 'four', 'five']);
    expect(fetched).toEqual(['a/0', 'a/1', 'a/2', 'b/1']); // one was still in memory
    expect(second.take()).toHaveLength(2);
    expect([second.runs, second.bytes]).toEqual([[], 0]);
    expect(await second.put(Buffer.from('six'))).toEqual({ claim: 'b', from: 2, count: 1 });
    expect(await textOf(second.bodiesOf(second.runs))).toEqual(['six']);
    expect(fetched).toHaveLength(4); // the memory of those that were taken is free
  });

  it('that cannot be fetched are reported when their turn comes', async () => {
    const { buckets, objects } = store();
    const pieces = new Pieces(buckets, new Memory(0), 'a', pathOf, nothingKept);
    for (const text of ['one', 'two', 'three']) await pieces.put(Buffer.from(text));
    objects.delete('a/1');
    const bodies = pieces.bodiesOf(pieces.runs);
    expect(Buffer.from((await bodies.next()).value ?? []).toString()).toBe('one');
    await expect(bodies.next()).rejects.toThrow('no a/1');
  });

  it('of packed rows are told to the checkpoint, those of earlier owners too', async () => {
    const { buckets, objects } = store();
    const before = { ...nothingKept, runs: [{ claim: 'a', from: 0, count: 2 }], bytes: 8 };
    const part = new BucketPart(
      new PackedPartWriter(new Pieces(buckets, new Memory(0), 'b', pathOf, before), undefined),
    );
    await part.append(Buffer.from('row1'));
    const kept = { runs: [...before.runs, { claim: 'b', from: 0, count: 1 }], bytes: 12, merged: [] };
    expect(await part.keep()).toEqual(kept);
    expect(await part.complete()).toEqual(kept);
    expect([...objects.keys()]).toEqual(['b/0']);
  });
});

describe('the parts of an upload', () => {
  const MIB = 1024 * 1024;
  const bodies = async function* (sizes: readonly number[]) {
    for (const size of sizes) yield new Uint8Array(size);
  };
  const sizesOf = async (sizes: readonly number[]) => {
    const parts: number[] = [];
    for await (const part of inParts(bodies(sizes))) parts.push(part.length);
    return parts;
  };

  it('are of one size, and the last of at least the smallest that a store takes', async () => {
    const size = fc.oneof(fc.integer({ min: 1, max: 9 * MIB }), fc.constantFrom(1, PIECE_BYTES, PART_BYTES_MIN));
    await fc.assert(
      fc.asyncProperty(fc.array(size, { maxLength: 6 }), async (sizes) => {
        const parts = await sizesOf(sizes);
        const bytes = sizes.reduce((sum, each) => sum + each, 0);
        expect(parts.reduce((sum, each) => sum + each, 0)).toBe(bytes);
        const last = parts.pop() ?? 0;
        expect(new Set(parts).size).toBeLessThanOrEqual(1);
        expect(last).toBeLessThan(PIECE_BYTES + PART_BYTES_MIN);
        if (parts.length > 0) expect([parts[0], last >= PART_BYTES_MIN]).toEqual([PIECE_BYTES, true]);
      }),
      { numRuns: 12 },
    );
  });

  it('are none of nothing, and hold the bytes in their order', async () => {
    expect(await sizesOf([])).toEqual([]);
    const numbered = async function* () {
      for (let n = 0; n < 5; n++) yield new Uint8Array(4 * MIB).fill(n);
    };
    const parts: Uint8Array[] = [];
    for await (const part of inParts(numbered())) parts.push(Uint8Array.from(part));
    const all = Buffer.concat(parts);
    expect([0, 1, 2, 3, 4].map((n) => [all[n * 4 * MIB], all[(n + 1) * 4 * MIB - 1]])).toEqual(
      [0, 1, 2, 3, 4].map((n) => [n, n]),
    );
    expect(parts.map(({ length }) => length / MIB)).toEqual([8, 12]);
  });
});
