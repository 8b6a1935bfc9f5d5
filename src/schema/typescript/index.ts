import type { SchemaText } from '../../core/schema.js';
import { avroTypes } from './avro.js';
import { jsonTypes } from './json.js';
import { type Declaration, declarationText } from './lines.js';
import { protobufTypes } from './protobuf.js';

export { type Declaration, declarationText, type Member, typeName } from './lines.js';

export interface TypeOptions {
  readonly long?: 'number' | 'bigint' | undefined;
  readonly timestamp?: 'number' | 'date' | undefined;
  /** For Protobuf: the message. Without it, all messages of the file. */
  readonly message?: string | undefined;
}

/**
 * The TypeScript interfaces of the values that a codec with the same options decodes.
 *
 * @example
 * typesOf({ format: 'avro', text: '{"type":"record","name":"A","fields":[{"name":"x","type":"int"}]}', references: [] });
 * // export interface A {
 * //   readonly x: number;
 * // }
 */
export const typesOf = (schema: SchemaText, options: TypeOptions = {}): string =>
  typesText(declarationsOf(schema, options));

/** The text of a TypeScript file with these types. */
export function typesText(declared: readonly Declaration[]): string {
  const texts = declared.map(declarationText);
  const isDecimal = (text: string) => /\bDecimal\b/.test(text) && !declared.some(({ name }) => name === 'Decimal');
  return [...(texts.some(isDecimal) ? ["import type { Decimal } from 'millrace';"] : []), ...texts].join('\n\n');
}

/** The types of a schema's values as data. The first one is that of the whole value, except for Protobuf without `message`. */
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
