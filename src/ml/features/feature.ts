import type { Settings } from '../../core/operator.js';

/** What a column function may return; `null` and `undefined` say that the row does not have it. */
export type ColumnValue = string | number | null | undefined;

/** A feature of one column that fills `width` places of the dense part. */
export interface DenseFeature<out K extends string> {
  readonly part: 'dense';
  readonly kind: string;
  readonly column: K;
  readonly settings: Settings;
  readonly width: number;
  /** Writes at `into[at..at + width)`, which is all 0 before. */
  encode(value: ColumnValue, into: Float32Array, at: number): void;
}

/** A feature that sets one coordinate of the hashed part: which one, the values of its columns decide together. */
export interface HashedFeature<out K extends string> {
  readonly part: 'hashed';
  readonly kind: 'hashed';
  readonly columns: readonly K[];
}

/** A dense feature that the stream keeps by itself: the decayed mean of what became of earlier rows of the same group. */
export interface RollingFeature<out K extends string, out V extends string> {
  readonly part: 'rolling';
  readonly kind: 'rolling';
  /** The column that names the group; the whole task is one group where it is missing. */
  readonly by: K | undefined;
  readonly value: V;
  readonly halfLifeMs: number;
  readonly clip: readonly [min: number, max: number];
  readonly prior: number;
  readonly priorWeight: number;
  readonly center: number;
  readonly scale: number;
}

/** A feature of a view over the columns `K` and the outcome values `V`, as inert data. */
export type Feature<K extends string, V extends string = never> =
  | DenseFeature<K>
  | HashedFeature<K>
  | RollingFeature<K, V>;
