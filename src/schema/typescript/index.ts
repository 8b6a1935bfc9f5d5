import type { SchemaText } from '../../core/schema.js';
import { avroTypes } from './avro.js';
import { jsonTypes } from './json.js';
import { protobufTypes } from './protobuf.js';

export interface TypeOptions {
  readonly long?: 'number' | 'bigint' | undefined;
  readonly timestamp?: 'number' | 'date' | undefined;
  /** Of Protobuf: the message; all that the file declares without it. */
  readonly message?: string | undefined;
}

/**
 * The TypeScript interfaces of a schema's values, to be kept beside the schema: what a codec opened with the same options
 * gives.
 *
 * @example
 * typesOf({ format: 'avro', text: '{"type":"record","name":"A","fields":[{"name":"x","type":"int"}]}', references: [] });
 * // export interface A {
 * //   readonly x: number;
 * // }
 */
export function typesOf(schema: SchemaText, options: TypeOptions = {}): string {
  const { long, timestamp, message } = options;
  const values = {
    ...(long === undefined ? {} : { long }),
    ...(timestamp === undefined ? {} : { timestamp }),
  };
  switch (schema.format) {
    case 'avro':
      return avroTypes(schema, values);
    case 'protobuf':
      return protobufTypes(schema, values, message);
    case 'json-schema':
      return jsonTypes(schema);
  }
}
