import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createInference } from '../../src/inference/index.js';
import { quantized } from './onnx.js';

test('int8 is taken with scales that are fixed, and refused with those of a batch', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-int8-'));
  const inference = createInference();
  const open = async (isDynamic: boolean) => {
    const model = join(folder, `${isDynamic}.onnx`);
    await writeFile(model, quantized({ isDynamic }));
    return await inference.open({ model, batchMax: 16, waitMax: 1, providers: ['cpu'] });
  };
  try {
    const fixed = await open(false);
    const { scores } = await fixed.run(1, (_, [into]) => (into as Float32Array).set([0.123, 7]));
    expect(Array.from(scores)).toEqual([Math.fround(0.12), Math.fround(2.55)]);
    await expect(open(true)).rejects.toMatchObject({
      code: 'model',
      message: expect.stringContaining('depends on the batch it is in'),
      hint: expect.stringContaining('dynamic quantization'),
    });
  } finally {
    await inference.close();
    await rm(folder, { recursive: true });
  }
});
