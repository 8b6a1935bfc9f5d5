import type { Schema } from '../core/schema.js';
import type { AvroValues } from './avro/values.js';
import type { DefinitionOptions, RegisteredOptions } from './definition.js';

export type AvroOptions = DefinitionOptions & RegisteredOptions & AvroValues;

/**
 * A decimal number as text: `'-12.50'`. No number type of JavaScript holds one exactly; as text it goes into tables,
 * JSON and decimal libraries as it is.
 */
export type Decimal = `${number}`;

/**
 * An Avro event schema as inert data; nothing is read before a codec is opened for it.
 *
 * Values are plain objects. A union of null and something is that something or `null`; branches that JavaScript cannot
 * tell apart (two numbers, two records) have their name around them: `{ 'millrace.Card': { ... } }`. A `long` is a number,
 * or a `bigint` where `long` says so; timestamps are numbers, or `Date` where `timestamp` says so; a `decimal` is a
 * `Decimal`; `bytes` and `fixed` are `Buffer`; other logical types are left as what they are made of.
 *
 * A payload of another version of the schema is resolved by Avro's rules: defaults, aliases, promotion. Guarantees: what
 * cannot be read exactly fails, and becomes a dead letter with its reason; nesting ends at 64.
 *
 * @example
 * const FlightDepartedV1 = avro<FlightDeparted>({
 *   subject: 'flights.departed.v1-value',
 *   file: new URL('./flight-departed.v1.avsc', import.meta.url),
 * });
 */
export function avro<T>(options: AvroOptions): Schema<T> {
  const { subject, references, long, timestamp, framing, bytesMax } = options;
  return Object.freeze({
    format: 'avro',
    subject,
    definition: options.file ?? options.definition,
    references,
    options: Object.freeze({ long, timestamp, framing, bytesMax }),
  });
}
