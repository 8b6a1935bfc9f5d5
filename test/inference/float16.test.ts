import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createInference } from '../../src/inference/index.js';
import { fromHalves, toHalves } from '../../src/inference/session/float16.js';
import { generator } from '../random.js';
import { halves } from './onnx.js';

const everyHalf = Uint16Array.from({ length: 2 ** 16 }, (_, half) => half);

test('every float16 is a number, and the nearest to itself', () => {
  const numbers = fromHalves(everyHalf);
  expect([0x0000, 0x0001, 0x03ff, 0x0400, 0x3555, 0x3c00, 0x7bff, 0xfc00].map((half) => numbers[half])).toEqual([
    0,
    2 ** -24,
    1_023 * 2 ** -24,
    2 ** -14,
    0.333251953125,
    1,
    65_504,
    Number.NEGATIVE_INFINITY,
  ]);
  const isNumber = (half: number) => !Number.isNaN(numbers[half]);
  expect(everyHalf.filter((half) => !isNumber(half))).toHaveLength(2 * 1_023);
  const back = toHalves(numbers);
  expect(everyHalf.filter((half) => isNumber(half) && back[half] !== half)).toEqual(new Uint16Array());
  expect(Number.isNaN(fromHalves(toHalves(Float32Array.of(Number.NaN)))[0])).toBe(true);
});

test('numbers are rounded to the nearest float16, to the even one of two', () => {
  const numbers = fromHalves(everyHalf);
  const rising = Array.from({ length: 0x7c00 }, (_, half) => numbers[half] as number);
  for (const [half, number] of rising.slice(0, -1).entries()) {
    const middle = (number + (rising[half + 1] as number)) / 2;
    const below = middle * (1 - 2 ** -20);
    const above = middle * (1 + 2 ** -20);
    const even = half % 2 === 0 ? half : half + 1;
    expect([...toHalves(Float32Array.of(below, middle, above, -middle))]).toEqual([
      half,
      even,
      half + 1,
      even | 0x8000,
    ]);
  }
  const edges = [65_519, 65_520, 1e38, Number.POSITIVE_INFINITY, 2 ** -25, 2 ** -25 * 1.001, 2 ** -30, -0];
  expect([...toHalves(Float32Array.from(edges))]).toEqual([0x7bff, 0x7c00, 0x7c00, 0x7c00, 0, 1, 0, 0x8000]);
});

test('a model of float16 takes and gives rows as any other, rounded as ONNX Runtime reads them', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-halves-'));
  const model = join(folder, 'halves.onnx');
  await writeFile(model, halves(3));
  const inference = createInference();
  try {
    const handle = await inference.open({ model, batchMax: 16, waitMax: 1, providers: ['cpu'] });
    expect(handle.inputs).toEqual([{ name: 'x', type: 'float32', as: 'float16', shape: [3] }]);
    const random = generator(5);
    const rows = Array.from({ length: 40 }, () =>
      Float32Array.from({ length: 3 }, () => (random() - 0.5) * 10 ** Math.floor(random() * 9 - 4)),
    );
    const { scores } = await handle.run(rows.length, (row, [into], place) =>
      (into as Float32Array).set(rows[row] as Float32Array, place * 3),
    );
    for (const [i, score] of scores.entries()) {
      const number = rows[Math.floor(i / 3)]?.[i % 3] as number;
      expect(Math.abs(score - number)).toBeLessThanOrEqual(Math.abs(number) * 2 ** -11 + 2 ** -25);
    }
    expect(scores).toEqual(fromHalves(toHalves(Float32Array.from(rows.flatMap((row) => [...row])))));
  } finally {
    await inference.close();
    await rm(folder, { recursive: true });
  }
});
