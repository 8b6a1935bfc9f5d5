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
      const scale = micros ? timeUnits.microseconds.scale : timeUnitOf(rows).scale;
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

/** Units of times as numbers: how their milliseconds are written, and how many of them a millisecond has. */
export const timeUnits = {
  seconds: { called: 'seconds', scale: ' * 1_000', perMs: 1e-3 },
  milliseconds: { called: 'milliseconds', scale: '', perMs: 1 },
  microseconds: { called: 'microseconds', scale: ' / 1_000', perMs: 1e3 },
  nanoseconds: { called: 'nanoseconds', scale: ' / 1_000_000', perMs: 1e6 },
} as const;

/** The unit of times after 1973 and before 5138 follows from their size; milliseconds where there is no number. */
export function timeUnitOf(rows: readonly unknown[]): (typeof timeUnits)[keyof typeof timeUnits] {
  const first = rows.find((one) => typeof one === 'number');
  if (typeof first !== 'number') return timeUnits.milliseconds;
  if (first < 1e11) return timeUnits.seconds;
  if (first < 1e14) return timeUnits.milliseconds;
  return first < 1e17 ? timeUnits.microseconds : timeUnits.nanoseconds;
}

/** Whether a record's label is true. */
export function labelText(row: string, { field, is }: Label): string {
  const value = access(row, field.name);
  if (is === undefined) return field.optional ? `${value} === true` : value;
  if ('equal' in is) return `String(${value}) === ${quoted(is.equal)}`;
  return `${field.optional ? `(${value} ?? Number.NaN)` : value} >= ${is.atLeast}`;
}
