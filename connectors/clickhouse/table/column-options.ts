import * as is from '../../../src/core/option-types.js';

/** A name that can be used in a statement, also without quotes by readers. */
export const name = is.custom<string>(
  'name: letters, digits, `_`',
  (value) => typeof value === 'string' && /^[A-Za-z_][A-Za-z0-9_]*$/.test(value),
  (value) => value,
);

export const columns = is.recordOf(is.custom<string>('ClickHouse types', (type) => is.text.accepts(type)));

export const migrate = is.oneOf('stop', 'add', 'widen');

export const MIGRATE_DOC =
  "What a run may change if the table differs from the declaration: nothing, add missing columns (old rows get the default of the schema's " +
  'field, or the zero of the type), or also widen types without loss, which rewrites those columns. Any other difference ' +
  'ends the run with the statement that would fix it.';
