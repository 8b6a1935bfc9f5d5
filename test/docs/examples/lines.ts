import * as is from '../../../src/core/option-types.js';
import {
  connectorKind,
  defaulted,
  type OptionsOf,
  problemsOf,
  required,
  resolve,
  settingsOf,
} from '../../../src/core/options.js';
import type { Sink } from '../../../src/core/sink.js';

export const linesKind = connectorKind({
  kind: 'lines.sink',
  role: 'sink',
  doc: 'Appends every value to a file as a line of JSON.',
  options: {
    file: required(is.text, 'Made where it is missing.'),
    linesMax: defaulted(is.integer(1), 10_000, 'Lines that an epoch keeps in memory before it writes them.'),
  },
});

export type LinesOptions = OptionsOf<typeof linesKind.options>;
/** As the driver sees them: with the defaults. */
export type Lines = Required<LinesOptions>;

/** Files of JSON lines as outputs: inert data, so that a topology loads without opening anything. */
export const lines = {
  /**
   * Appends every value to a file as a line of JSON.
   *
   * @example
   * scored.to('log', lines.sink({ file: 'scored.ndjson' }));
   */
  sink: <T>(options: LinesOptions): Sink<T> =>
    Object.freeze({
      connector: 'lines',
      kind: linesKind.kind,
      settings: settingsOf(linesKind, options),
      problems: problemsOf(linesKind, options),
      options: Object.freeze(resolve(linesKind, options) satisfies Lines),
    }),
} as const;
