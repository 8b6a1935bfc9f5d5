/** What the numbers of a tensor are, by ONNX's names, and the arrays that hold them. */
export interface TensorArrays {
  readonly float32: Float32Array;
  readonly int64: BigInt64Array;
  readonly int32: Int32Array;
  readonly uint8: Uint8Array;
}
export type TensorType = keyof TensorArrays;
export type TensorData = TensorArrays[TensorType];

/**
 * Numbers with a shape, the last axis running fastest: an image as `[3, 224, 224]`, a text as `[length]`. One record's
 * alone; the axis of the batch is put before it where rows are scored together.
 */
export interface Tensor<D extends TensorData = TensorData> {
  readonly shape: readonly number[];
  readonly data: D;
}

/** The arrays by the names of what they hold. */
export const tensorArrays = {
  float32: Float32Array,
  int64: BigInt64Array,
  int32: Int32Array,
  uint8: Uint8Array,
} as const;

export const tensorTypes = Object.keys(tensorArrays) as readonly TensorType[];

/** What an array holds; `undefined` for what no tensor is made of. */
export const tensorTypeOf = (data: unknown): TensorType | undefined =>
  tensorTypes.find((type) => data instanceof tensorArrays[type]);

/** How many numbers a tensor of this shape has. */
export const sizeOf = (shape: readonly number[]): number => shape.reduce((size, axis) => size * axis, 1);
