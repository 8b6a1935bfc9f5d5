import type { ModelInput, TensorSpec } from '../core/index.js';

/** What the main thread asks of an inference worker, and what it gets back. */
export interface Requests {
  load: {
    readonly ask: {
      /** Digest of `bytes`: sessions are loaded once per digest and provider. */
      readonly digest: string;
      readonly bytes: Uint8Array;
      readonly providers: readonly string[];
      readonly batchMax: number;
      readonly tensors?: TensorSpec;
    };
    readonly answer: LoadedModel;
  };
  run: {
    readonly ask: {
      readonly session: number;
      readonly bucket: number;
      readonly rows: number;
      /** For how many rows `input` is laid out. */
      readonly rowsMax: number;
      readonly input: ArrayBuffer;
    };
    readonly answer: RunAnswer;
  };
  close: { readonly ask: Record<never, never>; readonly answer: Record<never, never> };
}

export interface LoadedModel {
  /** The number under which the worker knows the session. */
  readonly session: number;
  readonly inputs: readonly ModelInput[];
  readonly lengths: readonly number[];
  readonly outputSize: number;
  /** The provider that really runs it. */
  readonly provider: string;
  /** Providers that were declared before it, and why each one does not run it. */
  readonly refusals: readonly string[];
}

export interface RunAnswer {
  readonly scores: Float32Array;
  readonly failures: readonly (readonly [row: number, cause: string])[];
  /** The request's buffer on its way back, to be used again. */
  readonly input: ArrayBuffer;
}

export type Ask<K extends keyof Requests> = Requests[K]['ask'];

/**
 * Words of the shared `Int32Array` by which an exiting process and its worker agree. A process that exits while a
 * worker is inside the native runtime aborts; so the worker says when it is, and is told when not to enter again.
 * (Control only: rows travel in transferred buffers, since the runtime refuses shared ones.)
 */
export const control = { words: 2, busy: 0, stop: 1 } as const;
