import type { SchemaText } from '../../core/schema.js';
import { avroTypes } from './avro.js';
import { jsonTypes } from './json.js';
import { type Declaration, declarationText } from './lines.js';
import { protobufTypes } from './protobuf.js';

export { type Declaration, declarationText, type Member, typeName } from './lines.js';

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
export const typesOf = (schema: SchemaText, options: TypeOptions = {}): string =>
  typesText(declarationsOf(schema, options));

/** Types as a TypeScript file has them. */
export function typesText(declared: readonly Declaration[]): string {
  const texts = declared.map(declarationText);
  const isDecimal = (text: string) => /\bDecimal\b/.test(text) && !declared.some(({ name }) => name === 'Decimal');
  return [...(texts.some(isDecimal) ? ["import type { Decimal } from 'millrace';"] : []), ...texts].join('\n\n');
}

/** The types of a schema's values as data; the first one is that of the whole value, except in Protobuf without `message`. */
export function declarationsOf(schema: SchemaText, options: TypeOptions = {}): readonly Declaration[] {
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
