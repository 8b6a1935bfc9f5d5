import { MillraceError } from '../core/index.js';

export type RunRows = (input: Float32Array, rows: number) => Promise<Float32Array>;

/** Sizes around each power of two up to `batchMax`, and `batchMax` itself: where kernels change their loops. */
export function warmUpSizes(batchMax: number): number[] {
  const sizes = new Set<number>();
  for (let size = 1; size <= batchMax; size *= 2) for (const near of [size - 1, size, size + 1]) sizes.add(near);
  sizes.add(batchMax);
  return [...sizes].filter((size) => size >= 1 && size <= batchMax).sort((a, b) => a - b);
}

/**
 * Rows of numbers in [0, 1) that are the same in every process (a linear congruential generator, constants of
 * Numerical Recipes): low enough for models that take them for indices.
 */
export function warmUpRows(rows: number, inputSize: number): Float32Array {
  const input = new Float32Array(rows * inputSize);
  let state = 1;
  for (let i = 0; i < input.length; i++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    input[i] = (state >>> 8) / 2 ** 24;
  }
  return input;
}

/**
 * Proves that the bits of a row's result do not depend on its batch: a replay batches differently and must come out
 * the same. Compares each size of `warmUpSizes` with the full batch, at its beginning and at its end.
 *
 * Throws `MillraceError('model')` where they differ: several intra-op threads, models that quantize or normalize over
 * the batch.
 */
export async function checkBatchInvariance(
  run: RunRows,
  inputSize: number,
  outputSize: number,
  batchMax: number,
): Promise<void> {
  const input = warmUpRows(batchMax, inputSize);
  const whole = await run(input, batchMax);
  for (const rows of warmUpSizes(batchMax)) {
    for (const from of new Set([0, batchMax - rows])) {
      const part = await run(input.subarray(from * inputSize, (from + rows) * inputSize), rows);
      if (sameBits(part, whole.subarray(from * outputSize, (from + rows) * outputSize))) continue;
      throw new MillraceError(
        'model',
        `a row's score depends on the batch it is in (${rows} rows against ${batchMax})`,
        {
          hint: 'a replay would not give the same predictions: export the model without operations over the batch axis (dynamic quantization is one), or set batchMax to 1',
        },
      );
    }
  }
}

/** Equal bit by bit, so that a NaN equals itself. */
export function sameBits(a: Float32Array, b: Float32Array): boolean {
  const bytes = (array: Float32Array) => Buffer.from(array.buffer, array.byteOffset, array.byteLength);
  return bytes(a).equals(bytes(b));
}
