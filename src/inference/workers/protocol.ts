import type { Discrete, ModelInput, ModelSpec, TensorSpec } from '../../core/index.js';
import type { DataFile } from '../external-data.js';
import type { Point } from '../scheduling/latency-curve.js';
import type { Texts } from '../scheduling/layout.js';

/** The requests to an inference worker, and their answers. */
export interface Requests {
  load: {
    readonly ask: {
      /** Who holds the session until `unload`. */
      readonly artifact: string;
      /** The digest of the file: sessions are loaded once per digest and provider. */
      readonly digest: string;
      /** Where the file is. */
      readonly place: string;
      readonly fileBytes: number;
      /** The files with weights that are not in it. */
      readonly data?: readonly DataFile[];
      readonly providers: ModelSpec['providers'];
      readonly batchMax: number;
      readonly tensors?: TensorSpec;
      /** What this process has found before, when it checked the model: the worker only warms it up. */
      readonly known?: KnownModel;
    };
    readonly answer: LoadedModel;
  };
  /** Releases the sessions that nobody else holds. */
  unload: { readonly ask: { readonly artifact: string }; readonly answer: Record<never, never> };
  run: {
    readonly ask: {
      readonly session: number;
      readonly bucket: number;
      readonly rows: number;
      /** The number of rows that `input` has room for. */
      readonly rowsMax: number;
      readonly input: ArrayBuffer;
      readonly texts?: Texts | undefined;
    };
    readonly answer: RunAnswer;
  };
  close: { readonly ask: Record<never, never>; readonly answer: Record<never, never> };
}

/** What is found out of a model when it is checked. */
export interface KnownModel {
  /** By length bucket, what runs take. Larger batches are run in parts of the last size. */
  readonly curves: readonly (readonly Point[])[];
  /** A row that is alone is run twice at once: alone it would get other bits than in a batch. */
  readonly inPairs: boolean;
}

export interface LoadedModel extends KnownModel {
  /** The number of the session in the worker. */
  readonly session: number;
  readonly inputs: readonly ModelInput[];
  readonly lengths: readonly number[];
  readonly outputSize: number;
  /** The execution provider in use. */
  readonly provider: string;
  /** The providers that were declared before it, and the reason why each one does not run it. */
  readonly refusals: readonly string[];
  /** What the worker's process has grown by when the session was opened and warmed up; the size of the file at least, where it was opened. */
  readonly memoryBytes: number;
  /** What it took to open the session, without the checks and measurements of the first time; 0 where it was open. */
  readonly loadMs: number;
}

export interface RunAnswer extends Scored {
  /** How long the worker was at it, in milliseconds. */
  readonly ms: number;
  /** The buffer of the request, for reuse; from a process, which got a copy, an empty one. */
  readonly input: ArrayBuffer;
}

/** What a model gives for some rows; see `RunResult`. */
export interface Values {
  readonly scores: Float32Array;
  readonly discrete?: readonly (readonly Discrete[])[];
}

export interface Scored extends Values {
  /** The rows that failed on their own, with the cause. */
  readonly failures: readonly (readonly [row: number, cause: string])[];
}

export type Ask<K extends keyof Requests> = Requests[K]['ask'];

/**
 * The words of the shared `Int32Array` between an exiting process and its worker. A process that exits while a worker is inside the
 * native runtime aborts. So the worker marks when it is inside, and is told when not to enter again. (Only for control: rows travel
 * in transferred buffers, since the runtime refuses shared ones.)
 */
export const control = { words: 2, busy: 0, stop: 1 } as const;
