import { propertyName } from './code.js';
import type { Field } from './samples/fields.js';

/** What comes out of a task, as sinks are to write it. */
export interface Result {
  /** Name of its type. */
  readonly type: string;
  /** The schema's value where the records are those that came in; plain JSON otherwise. */
  readonly schema: { readonly value: string; readonly format: string } | undefined;
  readonly fields: readonly ResultField[];
  /** What it is written under. */
  readonly key: Field;
  /** Columns by which a later one replaces an earlier one, where one comes to replace another. */
  readonly identity: readonly string[];
  /** What it is called in names of topics, tables and folders. */
  readonly called: string;
}

export interface ResultField extends Field {
  /** Milliseconds since 1970. */
  readonly isTime?: boolean;
}

export const interfaceOf = (name: string, fields: readonly Field[]): string =>
  `interface ${name} {\n${fields.map((field) => `  readonly ${propertyName(field.name)}: ${field.type};\n`).join('')}}\n`;

/** A name that no field has. */
export function freeName(wanted: string, fields: readonly Pick<Field, 'name'>[]): string {
  let name = wanted;
  while (fields.some((field) => field.name === name)) name = `${name}_`;
  return name;
}

export const numberField = (name: string): ResultField => ({ name, type: 'number', holds: 'number', optional: false });
export const timeField = (name: string): ResultField => ({ ...numberField(name), isTime: true });
