import type { RegistryFormat } from '../../../src/core/schema.js';

// What is read and written in both directions, as data: each case is a value, the schema that it is written under, the one
// that it is read with, and what must come out. It is run with every client that speaks its format.

/** The text of a schema; of Protobuf with the message that it is about. */
export interface CaseSchema {
  readonly text: string;
  /** Its full name. */
  readonly message?: string;
}

export interface PayloadCase {
  readonly format: RegistryFormat;
  readonly what: string;
  readonly versions: 'the same' | 'old to new' | 'new to old';
  readonly writer: CaseSchema;
  readonly reader: CaseSchema;
  /** In our values; decimals as `decimal` marks them, since only we have them as text. */
  readonly written: unknown;
  /** What must come out, or why nothing can. */
  readonly read: unknown | Refusal;
  /** What other clients make of it, where that is something else by their own rules. */
  readonly readByOthers?: unknown;
}

/** Nobody can read it: with us it is a dead letter with this reason. */
export interface Refusal {
  readonly refused: string;
}

export const refused = (reason: string): Refusal => ({ refused: reason });

export const isRefusal = (read: unknown): read is Refusal =>
  typeof read === 'object' && read !== null && 'refused' in read;

export const decimal = (text: string): { readonly $decimal: string } => ({ $decimal: text });

export const same = (
  format: RegistryFormat,
  what: string,
  schema: CaseSchema,
  written: unknown,
  read: unknown = written,
): PayloadCase => ({ format, what, versions: 'the same', writer: schema, reader: schema, written, read });

interface Side {
  readonly schema: CaseSchema;
  readonly value: unknown;
  /** What the other version's value is under this schema. */
  readonly reads: unknown | Refusal;
  readonly othersRead?: unknown;
}

/** Two versions of a schema, each reading what the other wrote. */
export function evolution(format: RegistryFormat, what: string, older: Side, newer: Side): PayloadCase[] {
  const oneWay = (versions: PayloadCase['versions'], from: Side, to: Side): PayloadCase => ({
    format,
    what,
    versions,
    writer: from.schema,
    reader: to.schema,
    written: from.value,
    read: to.reads,
    ...('othersRead' in to ? { readByOthers: to.othersRead } : {}),
  });
  return [oneWay('old to new', older, newer), oneWay('new to old', newer, older)];
}
