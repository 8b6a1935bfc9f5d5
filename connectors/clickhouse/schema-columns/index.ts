import { MillraceError } from '../../../src/core/errors.js';
import type { Schema } from '../../../src/core/schema.js';
import { schemaTextOf } from '../../../src/schema/definition.js';
import type { Columns } from '../canonical.js';
import type { Units } from '../rows.js';
import { avroColumns } from './avro.js';
import type { Derived } from './derived.js';
import { jsonSchemaColumns } from './json-schema.js';
import { protobufColumns } from './protobuf.js';

/**
 * The columns that records of a schema need, with types that hold all that the schema allows: its text is read here.
 *
 * @throws MillraceError `config` for a schema whose records have no named fields; `schema` for one that cannot be read.
 * @example
 * const { columns } = await schemaColumns(PredictionV1); // { tripId: 'String', late: 'Nullable(Float64)' }
 */
export async function schemaColumns(schema: Schema<unknown>): Promise<{ columns: Columns; units: Units }> {
  const derived = await derive(schema);
  if (derived === undefined) {
    throw new MillraceError('config', `${schema.format} says no columns`, {
      where: schema.subject,
      hint: 'pass avro(), jsonSchema() or protobuf() of a record, or give the columns',
    });
  }
  const fields = Object.entries(derived);
  return {
    columns: Object.fromEntries(fields.map(([name, { type }]) => [name, type])),
    units: Object.fromEntries(fields.flatMap(([name, { unit }]) => (unit === undefined ? [] : [[name, unit]]))),
  };
}

async function derive(schema: Schema<unknown>): Promise<Record<string, Derived> | undefined> {
  const options = { ...(schema.options as object | undefined) };
  switch (schema.format) {
    case 'avro':
      return avroColumns(await schemaTextOf(schema), options);
    case 'json-schema':
      return jsonSchemaColumns(await schemaTextOf(schema));
    case 'protobuf':
      return protobufColumns(await schemaTextOf(schema), options as { readonly message: string });
    default:
      return undefined;
  }
}
