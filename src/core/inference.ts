import { defineService } from './service.js';

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

/** Micro-batched scoring, shared by all tasks of a process; `src/inference` has the one implementation. */
export interface InferenceService {
  open(model: ModelSpec): Promise<ModelHandle>;
  close(): Promise<void>;
}

/** Scores ONNX models; every run has it. */
export const inferenceService = defineService<InferenceService>('inference');

export interface ModelSpec {
  /** The ONNX file. */
  readonly model: string | URL;
  /** The largest batch, in rows. */
  readonly batchMax: number;
  /** How long a row may wait for company, in milliseconds. */
  readonly waitMax: number;
  /** Execution providers in the order to try. */
  readonly providers: readonly string[];
  /** What a model of tensors takes and gives; without it, the model scores one float32 row of features. */
  readonly tensors?: TensorSpec;
}

export interface TensorSpec {
  /** The model's inputs, in the order in which rows fill them. */
  readonly inputs: readonly string[];
  /** The output to use (default: the only float32 output). */
  readonly output?: string;
  /** Which lengths the varying axis of a row may have. Rows of one length share batches, so none is padded here. */
  readonly lengths?: readonly number[];
  /** How the vectors of a row's positions become one. */
  readonly pooling?: Pooling;
  /** Divides each vector by its Euclidean length. */
  readonly normalize?: boolean;
}

/** The vector of the first position, or the mean of those where the named input is not 0. */
export type Pooling = 'first' | { readonly mean: string };

/** One input of a model, as a row fills it. */
export interface ModelInput {
  readonly name: string;
  readonly type: TensorType;
  /** Without the axis of the batch; `null` is the axis that varies. */
  readonly shape: readonly (number | null)[];
}

/** Writes a row: its numbers for input `i` at `into[i]`, from `place` times the length of a row on. */
export type FillRow = (row: number, into: readonly TensorData[], place: number) => void;

export interface ModelHandle {
  readonly inputs: readonly ModelInput[];
  /** Which lengths the varying axis may have; `[1]` where none varies. */
  readonly lengths: readonly number[];
  /** Length of one output row (for a binary classifier: the probabilities of both classes). */
  readonly outputSize: number;
  /** The provider that really runs it. */
  readonly provider: string;
  /** Digest of the model file: goes with every prediction. */
  readonly version: string;
  /**
   * Scores `rows` rows. `bucketOf` says which of `lengths` a row has: the first by default. Calls are answered in order, rows
   * of one call may be spread over several batches. Output rows lie one after another.
   */
  run(rows: number, fill: FillRow, bucketOf?: (row: number) => number): Promise<RunResult>;
  /** Dispatches what waits, without waiting for company. */
  flush(): void;
}

export interface RunResult {
  readonly scores: Float32Array;
  /** Rows that failed by themselves, with the cause. */
  readonly failures: ReadonlyMap<number, string>;
  /** Which link of the fallback chain answered; `null` for the first. */
  readonly degraded: string | null;
}
