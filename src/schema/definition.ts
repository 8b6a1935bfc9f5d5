import { readFile } from 'node:fs/promises';
import avsc from 'avsc';
import { MillraceError } from '../core/errors.js';
import type { Schema } from '../core/schema.js';

/** A schema of whatever values. */
export type AnySchema = Pick<Schema<unknown>, 'format' | 'subject' | 'definition'>;

/**
 * The text of a schema, read from its file where it has one.
 *
 * @example
 * const text = await definitionText(FlightDepartedV1);
 */
export async function definitionText(schema: AnySchema): Promise<string> {
  const { definition, subject } = schema;
  if (typeof definition === 'string') return definition;
  if (definition === undefined) {
    throw new MillraceError('schema', `schema ${subject} has no definition`, {
      where: subject,
      hint: 'give avro() a file or a definition',
    });
  }
  try {
    return await readFile(definition, 'utf8');
  } catch (cause) {
    throw new MillraceError('schema', `cannot read the schema file ${definition}`, {
      where: subject,
      hint: 'the .avsc file lies beside the module that names it; a build must copy it',
      cause,
    });
  }
}

/** Parses an Avro schema the one way that all codecs here share; throws what avsc or JSON.parse throw. */
export const parseAvro = (definition: string): avsc.Type =>
  avsc.Type.forSchema(JSON.parse(definition) as avsc.Schema, { wrapUnions: 'auto', omitRecordMethods: true });
