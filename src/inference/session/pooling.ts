import type { Pooling, TensorData } from '../../core/index.js';

/** The output of a model for some rows of one length: `size` numbers for each position of each row. */
export interface Positions {
  readonly data: Float32Array;
  readonly rows: number;
  readonly length: number;
  readonly size: number;
}

/**
 * Pools the vectors of a row's positions into one. Numbers are added as float64 in the order of the positions, so the bits of a row
 * depend on the row alone. A row without positions gets a vector of zeros.
 *
 * `mask` has `length` numbers per row; it is the input that `{ mean }` names.
 */
export function pool(pooling: Pooling, positions: Positions, mask: TensorData | undefined): Float32Array {
  const { rows, length, size } = positions;
  const pooled = new Float32Array(rows * size);
  const sums = new Float64Array(size);
  for (let row = 0; row < rows; row++) {
    const first = row * length;
    if (pooling === 'first') pooled.set(positions.data.subarray(first * size, (first + 1) * size), row * size);
    else meanOf(positions, mask, first, sums, pooled.subarray(row * size, (row + 1) * size));
  }
  return pooled;
}

function meanOf(
  { data, length, size }: Positions,
  mask: TensorData | undefined,
  first: number,
  sums: Float64Array,
  into: Float32Array,
): void {
  let count = 0;
  sums.fill(0);
  for (let position = first; position < first + length; position++) {
    if (mask !== undefined && Number(mask[position]) === 0) continue;
    count++;
    const at = position * size;
    for (let i = 0; i < size; i++) sums[i] = (sums[i] as number) + (data[at + i] as number);
  }
  if (count > 0) for (let i = 0; i < size; i++) into[i] = (sums[i] as number) / count;
}

/** Divides each row of `size` numbers by its Euclidean length, in place; zeros stay zeros. */
export function normalizeRows(data: Float32Array, size: number): void {
  for (let at = 0; at < data.length; at += size) {
    let squares = 0;
    for (let i = at; i < at + size; i++) squares += (data[i] as number) ** 2;
    if (squares === 0) continue;
    const norm = Math.sqrt(squares);
    for (let i = at; i < at + size; i++) data[i] = (data[i] as number) / norm;
  }
}
