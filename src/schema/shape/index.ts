import { MillraceError } from '../../core/errors.js';
import type { Schema } from '../../core/schema.js';
import { schemaTextOf } from '../definition.js';
import { avroFields } from './avro.js';
import { jsonFields } from './json.js';
import { protobufFields } from './protobuf.js';
import type { Field } from './shape.js';

export type { Field, Shape } from './shape.js';

/**
 * The fields of a schema's records, for stores with columns. It reads the text of the schema.
 *
 * @throws MillraceError `config` if the values have no named fields; `schema` if the schema cannot be read.
 * @example
 * await fieldsOfSchema(PredictionV1); // [{ name: 'tripId', shape: { kind: 'text' } }, ...]
 */
export async function fieldsOfSchema(schema: Schema<unknown>): Promise<readonly Field[]> {
  const fields = await read(schema);
  if (fields !== undefined) return fields;
  throw new MillraceError('config', `a schema in ${schema.format} has no named fields`, {
    where: schema.subject,
    hint: 'pass avro(), jsonSchema() or protobuf() of a record',
  });
}

/** The names of the fields of a format that leaves all others out when it encodes; none of a format that keeps them. */
export const onlyFieldsOf = async (schema: Schema<unknown>): Promise<readonly string[]> =>
  schema.format === 'json-schema' ? [] : ((await read(schema)) ?? []).map(({ name }) => name);

async function read(schema: Schema<unknown>): Promise<readonly Field[] | undefined> {
  const options = { ...(schema.options as object | undefined) };
  switch (schema.format) {
    case 'avro':
      return avroFields(await schemaTextOf(schema), options);
    case 'json-schema':
      return jsonFields(await schemaTextOf(schema));
    case 'protobuf':
      return protobufFields(await schemaTextOf(schema), options as { readonly message: string });
    default:
      return undefined;
  }
}
