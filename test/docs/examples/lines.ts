import type { Sink } from '../../../src/core/io.js';

export interface LinesOptions {
  readonly file: string;
}

/** Files of JSON lines as outputs: inert data, so that a topology loads without opening anything. */
export const lines = {
  /**
   * Appends every value to a file as a line of JSON.
   *
   * @example
   * scored.to('log', lines.sink({ file: 'scored.ndjson' }));
   */
  sink<T>({ file }: LinesOptions): Sink<T> {
    const options: LinesOptions = { file };
    return Object.freeze({
      connector: 'lines',
      kind: 'lines.sink',
      settings: Object.freeze({ file }),
      options: Object.freeze(options),
    });
  },
} as const;
