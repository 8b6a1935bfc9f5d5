import type { Schema } from '../core/schema.js';
import type { DefinitionOptions, RegisteredOptions } from './definition.js';

export type JsonSchemaOptions = DefinitionOptions & RegisteredOptions;

/**
 * JSON that a JSON Schema describes (draft 6, 7, 2019-09 or 2020-12, by its `$schema`; 7 without one), as inert data.
 *
 * Every value is validated when it is read and when it is written, by code that is compiled once. A value that violates the schema
 * becomes a dead letter (`schema-violation`) with the path and the rule. Missing properties get the defaults of the schema when they
 * are read. The schema id of a payload is ignored: the value must be valid under this schema. Nesting ends at 256.
 *
 * Write `T` yourself, or print it with `millrace schema types FILE`.
 *
 * @example
 * const PaymentV1 = jsonSchema<Payment>({
 *   subject: 'payments.v1-value',
 *   file: new URL('./payment.v1.schema.json', import.meta.url),
 * });
 */
export function jsonSchema<T>(options: JsonSchemaOptions): Schema<T> {
  const { subject, references, framing, bytesMax } = options;
  return Object.freeze({
    format: 'json-schema',
    subject,
    definition: options.file ?? options.definition,
    references,
    options: Object.freeze({ framing, bytesMax }),
  });
}
