import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isOutOfMemory, noCeiling, scoreRows, whatRuntimeSays } from '../../src/inference/session/recovery.js';

const noMemory = 'Failed to allocate memory for requested buffer of size 4503599627370496';

/** A session that doubles row numbers, refuses more rows than it has memory for, and trips over bad rows. */
function session(rows: number, { memory = Infinity, bad = new Set<number>(), broken = false } = {}) {
  const sizes: number[] = [];
  const answered: number[] = [];
  return {
    sizes,
    answered,
    batch: {
      rows,
      outputSize: 1,
      async run(from: number, count: number) {
        sizes.push(count);
        if (broken) throw new Error('device lost');
        if (count > memory) throw new Error(noMemory);
        for (let row = from; row < from + count; row++)
          if (bad.has(row)) throw new Error(`row ${row} is out of bounds`);
        for (let row = from; row < from + count; row++) answered.push(row);
        return { scores: Float32Array.from({ length: count }, (_, i) => (from + i) * 2) };
      },
      async probe() {
        if (broken) throw new Error('device lost');
      },
    },
  };
}

describe('recovery from errors of a session', () => {
  test('answers every good row once and in order, and names every bad one', async () => {
    const rowsAndBad = fc
      .integer({ min: 1, max: 70 })
      .chain((rows) => fc.tuple(fc.constant(rows), fc.uniqueArray(fc.nat({ max: rows - 1 }), { maxLength: 10 })));
    await fc.assert(
      fc.asyncProperty(rowsAndBad, fc.integer({ min: 1, max: 80 }), async ([rows, bad], memory) => {
        const { batch, answered } = session(rows, { memory, bad: new Set(bad) });
        const { scores, failures } = await scoreRows({ ...batch, ceiling: noCeiling() });
        expect(failures.map(([row]) => row)).toEqual([...bad].sort((a, b) => a - b));
        const good = Array.from({ length: rows }, (_, row) => row).filter((row) => !bad.includes(row));
        expect(answered).toEqual(good);
        for (const row of good) expect(scores[row]).toBe(row * 2);
      }),
      { numRuns: 300 },
    );
  });

  test('remembers how many rows memory has room for', async () => {
    const ceiling = noCeiling();
    const first = session(64, { memory: 20 });
    await scoreRows({ ...first.batch, ceiling });
    expect(first.sizes).toEqual([64, 32, 16, 16, 16, 16]);
    const second = session(64, { memory: 20 });
    await scoreRows({ ...second.batch, ceiling });
    expect(second.sizes).toEqual([16, 16, 16, 16]);
  });

  test('tries more rows again after a while', async () => {
    const ceiling = noCeiling();
    await scoreRows({ ...session(64, { memory: 20 }).batch, ceiling });
    const sizes: number[] = [];
    for (let batch = 0; batch < 60; batch++) {
      const plenty = session(64);
      await scoreRows({ ...plenty.batch, ceiling });
      sizes.push(...plenty.sizes);
    }
    expect(sizes.slice(0, 4)).toEqual([16, 16, 16, 16]);
    expect(sizes.at(-1)).toBe(64);
  });

  test('rejects the batch when no row can be scored any more', async () => {
    await expect(scoreRows({ ...session(8, { broken: true }).batch, ceiling: noCeiling() })).rejects.toThrow(
      'device lost',
    );
  });

  test('knows memory errors by their text', () => {
    for (const text of [
      noMemory,
      'CUDA failure 2: out of memory ; GPU=0',
      'CUBLAS failure 3: CUBLAS_STATUS_ALLOC_FAILED',
      'std::bad_alloc',
    ]) {
      expect(isOutOfMemory(new Error(text))).toBe(true);
    }
    expect(isOutOfMemory(new Error('indices element out of data bounds'))).toBe(false);
  });

  test('says what the runtime says, without the places in its sources', () => {
    const said = (text: string) => whatRuntimeSays(new Error(text));
    expect(
      said(
        "Non-zero status code returned while running Expand node. Name:'' Status Message: /onnxruntime_src/onnxruntime/core/framework/bfc_arena.cc:360 void* onnxruntime::BFCArena::AllocateRawInternal(size_t, bool, onnxruntime::Stream*) Failed to allocate memory for requested buffer of size 7\n",
      ),
    ).toBe(
      "Non-zero status code returned while running Expand node. Name:'' Status Message: Failed to allocate memory for requested buffer of size 7",
    );
    const other =
      'Gather node. indices element out of data bounds, idx=100 must be within the range [-8,7] (of 8) At once';
    expect(said(other)).toBe(other);
  });
});
