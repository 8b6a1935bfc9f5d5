import type { Declaration } from '../../../schema/typescript/index.js';

/** What a field holds, as far as features, columns and samples are concerned. */
export type Holds = 'text' | 'number' | 'boolean' | 'date' | 'other';

export interface Field {
  readonly name: string;
  /** Its type in TypeScript. */
  readonly type: string;
  readonly holds: Holds;
  /** Whether it may be null or missing. */
  readonly optional: boolean;
  /** A time as a number, as the schema says. */
  readonly isTimestamp?: boolean;
  /** Of microseconds. */
  readonly micros?: boolean;
}

/** A value of a record's type, as it is in memory. */
export type Row = Readonly<Record<string, unknown>>;

/** The fields of a type, which is the first interface among the declared ones. */
export function fieldsOf(declared: readonly Declaration[]): readonly Field[] {
  const record = declared.find((one) => 'members' in one);
  if (record === undefined || !('members' in record)) return [];
  return record.members.map(({ name, type, optional = false }) => ({
    name,
    type,
    holds: holdsOf(type),
    optional: optional || / \| null$/.test(type),
  }));
}

function holdsOf(type: string): Holds {
  const bare = type.replace(/ \| null$/, '');
  if (bare === 'string' || /^'.*'$/.test(bare)) return 'text';
  if (bare === 'Date') return 'date';
  return bare === 'number' || bare === 'boolean' ? bare : 'other';
}

/** The identity of a record by its name: `id`, or the record's own. */
export function identityOf(fields: readonly Field[], record: string): Field | undefined {
  const plain = (text: string) => text.toLowerCase().replaceAll(/[^a-z0-9]/g, '');
  const names = ['id', 'uuid', 'eventid', `${plain(record)}id`];
  return fields.find(({ name, optional }) => !optional && names.includes(plain(name)));
}

/** The field that most likely keys the records: their identity, another id, the first text, the first of all. */
export const likelyKey = (fields: readonly Field[], record: string): Field | undefined =>
  identityOf(fields, record) ??
  fields.find(({ name, optional }) => !optional && /id$|^key$/i.test(name)) ??
  fields.find(({ holds, optional }) => !optional && holds === 'text') ??
  fields[0];

const TIME_NAME = /(^|[_ -])(at|on|ts)$|time|date|stamp|when/i;

/** The field that most likely says when: a date, or a number or text that is called like one. */
export function likelyTime(fields: readonly Field[], samples: readonly Row[]): Field | undefined {
  const named = fields.filter(({ name }) => TIME_NAME.test(name) || /[a-z]At$/.test(name));
  const isDate = ({ holds, isTimestamp }: Field) => holds === 'date' || isTimestamp;
  return (
    named.find(isDate) ??
    fields.find(isDate) ??
    named.find(({ holds }) => holds === 'number') ??
    fields.find(
      ({ name, holds }) => holds === 'text' && samples.length > 0 && samples.every((row) => isTime(row[name])),
    ) ??
    named.find(({ holds }) => holds === 'text' && samples.length === 0)
  );
}

/** Whether a text begins with a day in ISO 8601; nothing is no other time. */
export const isTime = (value: unknown): boolean =>
  value === null || value === undefined || /^\d{4}-\d\d-\d\d/.test(String(value));

/** The field that most likely is to be predicted: something that is true or not. */
export const likelyLabel = (fields: readonly Field[], taken: readonly string[]): Field | undefined =>
  fields.find(({ name, holds }) => holds === 'boolean' && !taken.includes(name));
