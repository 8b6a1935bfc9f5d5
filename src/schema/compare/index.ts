import { MillraceError } from '../../core/errors.js';
import type { SchemaText } from '../../core/schema.js';
import { compareAvro } from './avro.js';
import type { Comparison } from './comparison.js';
import { compareJson } from './json.js';
import { compareProtobuf } from './protobuf.js';

export type { Change, Comparison } from './comparison.js';

/**
 * Compares two versions of a schema by the rules of their format: the changes, and their backward and forward compatibility.
 *
 * @throws MillraceError `schema` if the two have different formats.
 * @example
 * const avro = (text: string) => ({ format: 'avro', text, references: [] }) as const;
 * compareSchemas(avro('"int"'), avro('"long"')).forward; // ["the value: the writer's long cannot be read as int"]
 */
export function compareSchemas(before: SchemaText, after: SchemaText): Comparison {
  if (before.format !== after.format) {
    throw new MillraceError('schema', `a ${before.format} schema cannot be compared with a ${after.format} schema`, {
      hint: 'give two versions of one schema',
    });
  }
  switch (before.format) {
    case 'avro':
      return compareAvro(before, after);
    case 'protobuf':
      return compareProtobuf(before, after);
    case 'json-schema':
      return compareJson(before, after);
  }
}
