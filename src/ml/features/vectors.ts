import type { FeatureVector } from '../../core/learner.js';
import type { ColumnValue } from './feature.js';
import { combine, finish, hashValue } from './hash.js';
import { onesOf } from './ones.js';
import type { PlacedDense, PlacedHashed, ViewPlan } from './plan.js';

/**
 * Bytes of the buffers that vectors are cut from: views on a shared buffer cost half of what small arrays of their own
 * do, and large ones (beyond 64 bytes) cost a tenth. A kept vector keeps its whole buffer, so it must not be large.
 */
const SLAB_BYTES = 4_096;

/** The part of a view's work that needs no state. */
export interface VectorMaker<in Row> {
  /** The row's columns; the array is reused by the next call. */
  columnsOf(row: Row): readonly ColumnValue[];
  /** A vector of its columns, places of rolling features left at 0. */
  make(columns: readonly ColumnValue[]): FeatureVector;
}

/** Opens the stateless part of a view. */
export function openVectors<Row>(
  view: string,
  hash: string,
  { shape, dense, hashed }: ViewPlan,
  functions: readonly ((row: Row) => ColumnValue)[],
): VectorMaker<Row> {
  const columns = new Array<ColumnValue>(functions.length).fill(undefined);
  const hashes = new Int32Array(functions.length);
  const toHash = [...new Set(hashed.flatMap((feature) => feature.columns))];
  const mask = shape.hashedSize - 1;
  const ones = onesOf(hashed.length);
  const denseBytes = 4 * shape.denseSize;
  const vectorBytes = denseBytes + 4 * hashed.length;
  const slabBytes = Math.max(SLAB_BYTES, vectorBytes);
  let slab = new ArrayBuffer(slabBytes);
  let used = 0;

  return {
    columnsOf(row) {
      for (let c = 0; c < functions.length; c++) columns[c] = (functions[c] as (row: Row) => ColumnValue)(row);
      return columns;
    },

    make(values) {
      if (used + vectorBytes > slabBytes) {
        slab = new ArrayBuffer(slabBytes);
        used = 0;
      }
      const numbers = new Float32Array(slab, used, shape.denseSize);
      const indices = new Uint32Array(slab, used + denseBytes, hashed.length);
      used += vectorBytes;
      for (let i = 0; i < dense.length; i++) {
        const { column, at, encode } = dense[i] as PlacedDense;
        encode(values[column], numbers, at);
      }
      for (let i = 0; i < toHash.length; i++) {
        const column = toHash[i] as number;
        hashes[column] = hashValue(values[column]);
      }
      for (let i = 0; i < hashed.length; i++) {
        const { salt, columns: crossed } = hashed[i] as PlacedHashed;
        let mixed = salt;
        for (let c = 0; c < crossed.length; c++) mixed = combine(mixed, hashes[crossed[c] as number] as number);
        indices[i] = finish(mixed) & mask;
      }
      return { view, hash, dense: numbers, indices, values: ones };
    },
  };
}
