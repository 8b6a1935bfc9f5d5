import * as is from '../../../src/core/option-types.js';

/** A name as it can stand in a statement, and in the `WHERE` of somebody who reads. */
export const name = is.custom<string>(
  'name: letters, digits, `_`',
  (value) => typeof value === 'string' && /^[A-Za-z_][A-Za-z0-9_]*$/.test(value),
  (value) => value,
);

export const columns = is.recordOf(is.custom<string>('ClickHouse types', (type) => is.text.accepts(type)));

export const migrate = is.oneOf('stop', 'add', 'widen');

export const MIGRATE_DOC =
  "What a run changes about a table that is not as declared: nothing, columns that are missing (old rows have the default of the schema's " +
  'field in them, or the zero of its type), or also types into ones that hold all that the old ones held, which rewrites those columns. Everything ' +
  'else ends the run with the statement that would do it.';
