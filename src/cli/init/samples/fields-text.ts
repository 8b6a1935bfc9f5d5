import { access, quoted, variableName } from '../code.js';
import type { Input, Label } from '../plan.js';
import type { Field } from './fields.js';

// Expressions over a record's fields.

/** What callbacks call a record: not as the topology is called. */
export function rowName({ id, shape }: Pick<Input, 'id' | 'shape'>): string {
  const name = variableName(shape.record);
  return name === variableName(id) ? `${name}Record` : name;
}

/** A key as steps take it: a text or a number. */
export function keyText(row: string, { name, holds, optional }: Field): string {
  const isPlain = (holds === 'text' || holds === 'number') && !optional;
  return isPlain ? access(row, name) : `String(${access(row, name)})`;
}

/** A key as sinks take it. */
export const textKey = (row: string, { name, holds, optional }: Field): string =>
  holds === 'text' && !optional ? access(row, name) : `String(${access(row, name)})`;

/** Milliseconds since 1970; not a number where there is no time, which makes the record a dead letter. */
export function timeText(
  row: string,
  { name, holds, optional, micros = false }: Field,
  rows: readonly unknown[],
): string {
  const value = access(row, name);
  switch (holds) {
    case 'date':
      return optional ? `${value}?.getTime() ?? Number.NaN` : `${value}.getTime()`;
    case 'number': {
      // Numbers that would lie in January 1970 are seconds.
      const first = rows.find((one) => typeof one === 'number');
      const scale = micros ? ' / 1_000' : typeof first === 'number' && first < 1e11 ? ' * 1_000' : '';
      return optional ? `(${value} ?? Number.NaN)${scale}` : `${value}${scale}`;
    }
    case 'text': {
      // Without a zone a time would depend on the machine that reads it.
      const hasZone = rows.every((one) => typeof one !== 'string' || /(Z|[+-]\d\d:?\d\d)$|^\d{4}-\d\d-\d\d$/.test(one));
      const text = hasZone ? (optional ? `${value} ?? ''` : value) : `\`\${${value}}Z\``;
      return `Date.parse(${text})`;
    }
    default:
      return `Number(${value})`;
  }
}

/** Whether a record's label is true. */
export function labelText(row: string, { field, is }: Label): string {
  const value = access(row, field.name);
  if (is === undefined) return field.optional ? `${value} === true` : value;
  if ('equal' in is) return `String(${value}) === ${quoted(is.equal)}`;
  return `${field.optional ? `(${value} ?? Number.NaN)` : value} >= ${is.atLeast}`;
}
