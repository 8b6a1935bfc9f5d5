import { MillraceError, type TensorData } from '../../core/index.js';
import { batchBuffer } from '../scheduling/buffers.js';
import { type Layout, type Texts, textsIn, viewsOf } from '../scheduling/layout.js';
import type { Values } from '../workers/protocol.js';
import type { RunRows as RunLaidOut } from './runner.js';
import { type RunRows, sameValues } from './values.js';

/** Rows of which the bits are compared, at least. */
const ROWS_COMPARED = 32;

/** Where runs of a size begin that cover so many rows of a batch, its beginning and its end among them. */
function placesOf(rows: number, batchMax: number): ReadonlySet<number> {
  const last = batchMax - rows;
  const runs = Math.max(2, Math.ceil(Math.min(ROWS_COMPARED, batchMax) / rows));
  return new Set(Array.from({ length: runs }, (_, run) => Math.round((last * run) / (runs - 1))));
}

/** The length bucket of models without a varying axis. */
export const noLengths = [1] as const;

/** Sizes around each power of two up to `batchMax`, and `batchMax` itself: kernels change their loops there. */
export function warmUpSizes(batchMax: number): number[] {
  const sizes = new Set<number>();
  for (let size = 1; size <= batchMax; size *= 2) for (const near of [size - 1, size, size + 1]) sizes.add(near);
  sizes.add(batchMax);
  return [...sizes].filter((size) => size >= 1 && size <= batchMax).sort((a, b) => a - b);
}

/**
 * A full batch of rows that are the same in every process: floats in [0, 1), bytes, and integers of 0 and 1, which are also valid
 * indices, as are the texts '0' and '1', which can be cast to numbers. The first integer of a row is 1, so no mask hides a whole row.
 */
export function warmUpViews(layout: Layout): readonly TensorData[] {
  return fillViews(layout, batchBuffer(layout.byteLength));
}

/** The same batch as it is sent. */
export function warmUpInput(layout: Layout): { readonly input: ArrayBuffer; readonly texts: Texts | undefined } {
  const input = batchBuffer(layout.byteLength);
  return { input, texts: textsIn(fillViews(layout, input)) };
}

function fillViews(layout: Layout, input: ArrayBuffer): readonly TensorData[] {
  const views = viewsOf(layout, input);
  const next = randomBits();
  for (const [i, { rowSize }] of layout.regions.entries())
    fillWith(next, views[i] as TensorData, rowSize, rowSize * layout.rowsMax);
  return views;
}

function fillWith(next: () => number, view: TensorData, rowSize: number, size: number): void {
  for (let i = 0; i < size; i++) {
    const bits = next();
    if (view instanceof Float32Array || view instanceof Float64Array) view[i] = (bits >>> 8) / 2 ** 24;
    else if (view instanceof Uint8Array) view[i] = bits >>> 24;
    else {
      const flag = i % rowSize === 0 ? 1 : bits >>> 31;
      if (view instanceof BigInt64Array || view instanceof BigUint64Array) view[i] = BigInt(flag);
      else if (Array.isArray(view)) view[i] = `${flag}`;
      else view[i] = flag;
    }
  }
}

/** 32 bits per call, by a linear congruential generator (constants of Numerical Recipes); the high bits are the best. */
function randomBits(): () => number {
  let state = 1;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state;
  };
}

/**
 * Checks that the bits of a row's result do not depend on its batch, because a replay batches differently and must give the same.
 * It compares each size of `warmUpSizes` with the full batch, at its beginning, at its end, and for small sizes in between: bits of a few
 * rows are the same by chance.
 *
 * Throws `MillraceError('model')` if they differ: several intra-op threads, or models that quantize or normalize over the batch.
 */
export async function checkBatchInvariance(run: RunRows, outputSize: number, batchMax: number): Promise<void> {
  const whole = await run(0, batchMax);
  for (const rows of warmUpSizes(batchMax)) {
    for (const from of placesOf(rows, batchMax)) {
      const part = await run(from, rows);
      if (sameValues(part, rowsOf(whole, from, from + rows, outputSize))) continue;
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

/**
 * Whether a row that is alone gets other bits than the same row among others. ONNX Runtime multiplies a single row by a matrix with
 * other code, which adds up in another order (linear models of scikit-learn). Such rows are run twice at once.
 */
export async function areOtherAlone(run: RunLaidOut, layoutOfRows: (rows: number) => Layout): Promise<boolean> {
  const layout = layoutOfRows(ROWS_COMPARED);
  const views = warmUpViews(layout);
  const together = await run(layout, views, 0, ROWS_COMPARED);
  const outputSize = together.scores.length / ROWS_COMPARED;
  for (let row = 0; row < ROWS_COMPARED; row++)
    if (!sameValues(await run(layout, views, row, 1), rowsOf(together, row, row + 1, outputSize))) return true;
  return false;
}

const rowsOf = ({ scores, discrete }: Values, from: number, to: number, outputSize: number): Values => ({
  scores: scores.subarray(from * outputSize, to * outputSize),
  ...(discrete && { discrete: discrete.slice(from, to) }),
});
