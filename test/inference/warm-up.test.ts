import { describe, expect, test } from 'vitest';
import { layoutOf } from '../../src/inference/scheduling/layout.js';
import { nodesOn } from '../../src/inference/session/provider-proof.js';
import { sameBits } from '../../src/inference/session/values.js';
import { checkBatchInvariance, warmUpSizes, warmUpViews } from '../../src/inference/session/warm-up.js';

const inputSize = 2;
const warmUpRows = (rows: number, size: number) =>
  warmUpViews(layoutOf([{ name: 'x', type: 'float32', shape: [size] }], 1, rows))[0] as Float32Array;
/** Scores rows by `score`, which may look at the size of the batch and at the row's place in it. */
const model = (score: (row: Float32Array, rows: number, place: number) => number) => {
  const sizes: number[] = [];
  const input = warmUpRows(64, inputSize);
  const run = async (from: number, rows: number) => {
    sizes.push(rows);
    const scores = Float32Array.from({ length: rows }, (_, row) =>
      score(input.subarray((from + row) * inputSize, (from + row + 1) * inputSize), rows, row),
    );
    return { scores };
  };
  return { run, sizes };
};

describe('warm-up', () => {
  test('visits the sizes around powers of two, up to the largest batch', () => {
    expect(warmUpSizes(1)).toEqual([1]);
    expect(warmUpSizes(10)).toEqual([1, 2, 3, 4, 5, 7, 8, 9, 10]);
    expect(warmUpSizes(256).slice(-4)).toEqual([128, 129, 255, 256]);
  });

  test('makes the same rows everywhere, between 0 and 1', () => {
    const rows = warmUpRows(1_000, 3);
    expect(Math.min(...rows)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...rows)).toBeLessThan(1);
    expect(new Set(rows).size).toBeGreaterThan(2_990);
    expect(sameBits(rows.subarray(0, 6), warmUpRows(2, 3))).toBe(true);
  });

  test('makes integers and texts that are indices and masks, and bytes that are any', () => {
    const inputs = [
      { name: 'ids', type: 'int64' as const, shape: [null] },
      { name: 'flags', type: 'int32' as const, shape: [null] },
      { name: 'pixels', type: 'uint8' as const, shape: [64] },
      { name: 'words', type: 'string' as const, shape: [null] },
    ];
    const [ids, flags, pixels, words] = warmUpViews(layoutOf(inputs, 16, 50)).map((view) => Array.from(view, Number));
    for (const numbers of [ids, flags, words]) {
      expect(new Set(numbers)).toEqual(new Set([0, 1]));
      expect(numbers?.filter((_, i) => i % 16 === 0)).toEqual(new Array(50).fill(1));
    }
    expect(new Set(pixels).size).toBe(256);
  });

  test('passes a model whose rows keep to themselves, NaN included', async () => {
    const { run, sizes } = model(([a = 0, b = 0]) => (a > 0.5 ? a / b : Number.NaN));
    await checkBatchInvariance(run, 1, 64);
    expect(new Set(sizes)).toEqual(new Set(warmUpSizes(64)));
  });

  test.each([
    ['the size of the batch', model(([a = 0], rows) => Math.fround(a + (rows > 60 ? 1e-7 : 0)))],
    ['the place in the batch', model(([a = 0], _, place) => (place === 63 ? a * 2 : a))],
  ])('refuses a model whose scores depend on %s', async (_, { run }) => {
    await expect(checkBatchInvariance(run, 1, 64)).rejects.toMatchObject({
      code: 'model',
      hint: expect.stringContaining('batchMax'),
    });
  });

  test('tells NaNs and zeros apart by their bits', () => {
    expect(sameBits(Float32Array.of(Number.NaN), Float32Array.of(Number.NaN))).toBe(true);
    expect(sameBits(Float32Array.of(0), Float32Array.of(-0))).toBe(false);
  });
});

describe('the proof of a provider', () => {
  const profile = (...names: string[]) =>
    JSON.stringify([{ name: 'session' }, ...names.map((provider) => ({ args: { provider } }))]);

  test('is a node that ran on it', () => {
    const both = profile('CPUExecutionProvider', 'WebGpuExecutionProvider');
    expect(nodesOn(both, 'webgpu')).toEqual({ onIt: 1, all: 2 });
    expect(nodesOn(profile('CPUExecutionProvider'), 'cuda')).toEqual({ onIt: 0, all: 1 });
    expect(nodesOn(profile(), 'cpu')).toEqual({ onIt: 0, all: 0 });
    expect(nodesOn(profile('toString'), 'toString')).toEqual({ onIt: 0, all: 1 });
  });
});
