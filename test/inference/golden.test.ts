import { describe, expect, test } from 'vitest';
import type { Discrete } from '../../src/core/index.js';
import { goldenInputs } from '../../src/inference/golden.js';
import type { LoadedModel } from '../../src/inference/workers/protocol.js';
import type { WorkerSlot } from '../../src/inference/workers/worker-slot.js';

const loaded = {
  session: 3,
  inputs: [{ name: 'x', type: 'float32', shape: [2] }],
  lengths: [1],
} as unknown as LoadedModel;

/** A worker that answers with the sums of rows, and something more; it fails on the rows of `failing`. */
function worker(
  more: () => number,
  failing: () => readonly number[] = () => [],
  discreteOf?: (row: number) => readonly Discrete[],
) {
  const asked: { readonly rows: number; readonly numbers: readonly number[] }[] = [];
  const slot = {
    async run({ rows, input }: { readonly rows: number; readonly input: ArrayBuffer }) {
      const numbers = [...new Float32Array(input)];
      asked.push({ rows, numbers });
      const scores = Float32Array.from({ length: rows }, (_, row) => (numbers[2 * row] as number) + more());
      const discrete = discreteOf && Array.from(scores, (_, row) => discreteOf(row));
      const failures = failing().map((row) => [row, 'bad'] as const);
      return { answer: { scores, ...(discrete && { discrete }), failures, ms: 5, input }, ms: 6 };
    },
  } as unknown as WorkerSlot;
  return { slot, asked };
}

describe('golden inputs', () => {
  test('are the same rows each time, at most eight, and the first answers are the right ones', async () => {
    const { slot, asked } = worker(() => 0);
    const golden = goldenInputs(100, true);
    expect(await golden.ask(slot, loaded, 1)).toEqual({ isRight: true, rows: 8, ms: 5 });
    expect(await golden.ask(slot, loaded, 1)).toEqual({ isRight: true, rows: 8, ms: 5 });
    expect(asked[0]).toEqual(asked[1]);
    expect(new Set(asked[0]?.numbers).size).toBe(16);
    expect((await goldenInputs(3, true).ask(slot, loaded, 1)).rows).toBe(3);
  });

  test('find a single bit where bits are the same, and more than rounding where they are not', async () => {
    let error = 0;
    const { slot } = worker(() => error);
    const [exact, near] = [goldenInputs(8, true), goldenInputs(8, false)];
    for (const golden of [exact, near]) await golden.ask(slot, loaded, 1);
    error = 1e-6;
    expect((await exact.ask(slot, loaded, 1)).isRight).toBe(false);
    expect((await near.ask(slot, loaded, 1)).isRight).toBe(true);
    error = 1e-3;
    expect((await near.ask(slot, loaded, 1)).isRight).toBe(false);
    error = Number.NaN;
    expect((await near.ask(slot, loaded, 1)).isRight).toBe(false);
  });

  test('find integers, texts and float64 that are others', async () => {
    let last: readonly Discrete[] = [0.1, 'cat', 7];
    const { slot } = worker(
      () => 0,
      undefined,
      (row) => (row === 7 ? last : [row]),
    );
    const golden = goldenInputs(8, false);
    await golden.ask(slot, loaded, 1);
    const judge = async (values: readonly Discrete[]) => {
      last = values;
      return (await golden.ask(slot, loaded, 1)).isRight;
    };
    expect(await judge([0.1 + 1e-6, 'cat', 7])).toBe(true);
    for (const wrong of [
      [0.2, 'cat', 7],
      [0.1, 'dog', 7],
      [0.1, 'cat', 8],
      [0.1, 7, 7],
    ])
      expect(await judge(wrong)).toBe(false);
  });

  test('find rows that fail and did not', async () => {
    let failing: readonly number[] = [];
    const { slot } = worker(
      () => 0,
      () => failing,
    );
    const golden = goldenInputs(8, true);
    await golden.ask(slot, loaded, 1);
    failing = [2];
    expect((await golden.ask(slot, loaded, 1)).isRight).toBe(false);
  });
});
