import { isDeepStrictEqual } from 'node:util';
import type { Discrete } from '../../core/index.js';
import type { Values } from '../workers/protocol.js';

/** Scores the rows `from` to `from + rows` of a batch. */
export type RunRows = (from: number, rows: number) => Promise<Values>;

/** Collects what a model gives for the parts of a batch. */
export function gather(rows: number, outputSize: number) {
  const scores = new Float32Array(rows * outputSize);
  let discrete: (readonly Discrete[])[] | undefined;
  return {
    write(from: number, values: Values): void {
      scores.set(values.scores, from * outputSize);
      if (values.discrete === undefined) return;
      discrete ??= new Array(rows);
      for (const [i, own] of values.discrete.entries()) discrete[from + i] = own;
    },
    values: (): Values => ({ scores, ...(discrete && { discrete }) }),
  };
}

/** Equal bit by bit, so a NaN equals itself. */
export function sameBits(a: Float32Array, b: Float32Array): boolean {
  const bytes = (array: Float32Array) => Buffer.from(array.buffer, array.byteOffset, array.byteLength);
  return bytes(a).equals(bytes(b));
}

/** Equal bit by bit, in every output. */
export const sameValues = (a: Values, b: Values): boolean =>
  sameBits(a.scores, b.scores) && isDeepStrictEqual(a.discrete, b.discrete);
