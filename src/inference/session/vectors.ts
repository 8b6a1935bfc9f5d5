import type * as Onnx from 'onnxruntime-node';
import { MillraceError, type TensorData, type TensorSpec } from '../../core/index.js';
import { fromHalves } from './float16.js';
import { normalizeRows, pool } from './pooling.js';

/**
 * One vector per row from a model's output: unchanged, or pooled over positions, and optionally normalized to length 1. `inputOf`
 * returns an input of the model by name.
 *
 * Throws `MillraceError('model')` for an output that is not a vector.
 */
export function vectorsOf(
  output: Pick<Onnx.Tensor, 'dims' | 'data'> | undefined,
  rows: number,
  { pooling, normalize = false }: Pick<TensorSpec, 'pooling' | 'normalize'> = {},
  inputOf: (name: string) => TensorData | undefined = () => undefined,
): Float32Array {
  const dims = output?.dims ?? [];
  const data = output && floatsOf(output.data);
  if (data === undefined || dims[0] !== rows) {
    throw new MillraceError('model', `the model answers ${rows} rows with [${dims.join(', ')}]`, {
      hint: 'export it so that each input row gives one output row',
    });
  }
  const vectors = pooling === undefined ? data : pooled(pooling, data, dims, inputOf);
  if (normalize) normalizeRows(vectors, vectors.length / rows);
  return vectors;
}

/** Floats as float32, of float16 from its bits, of float64 the nearest; `undefined` for other values. */
export function floatsOf(data: Onnx.Tensor['data']): Float32Array | undefined {
  if (data instanceof Float32Array) return data;
  if (data instanceof Float64Array) return Float32Array.from(data);
  return data instanceof Uint16Array ? fromHalves(data) : undefined;
}

function pooled(
  pooling: NonNullable<TensorSpec['pooling']>,
  data: Float32Array,
  dims: readonly number[],
  inputOf: (name: string) => TensorData | undefined,
): Float32Array {
  const [rows = 0, length = 0, size = 0, ...more] = dims;
  const mask = pooling === 'first' ? undefined : inputOf(pooling.mean);
  if (size > 0 && more.length === 0 && (mask === undefined || mask.length === rows * length))
    return pool(pooling, { data, rows, length, size }, mask);
  throw new MillraceError('model', `the model's output [${dims.join(', ')}] is not a vector for each position`, {
    hint: 'leave `pooling` out, or name the output that is [N, length, size]',
  });
}
