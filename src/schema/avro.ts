import type { Schema } from '../core/schema.js';
import type { AvroValues } from './avro/values.js';
import type { DefinitionOptions, RegisteredOptions } from './definition.js';

export type AvroOptions = DefinitionOptions & RegisteredOptions & AvroValues;

/**
 * A decimal number as text: `'-12.50'`. No number type of JavaScript is exact; text can be passed to tables, JSON and decimal
 * libraries.
 */
export type Decimal = `${number}`;

/**
 * An Avro event schema as inert data; nothing is read before a codec is opened for it.
 *
 * Values are plain objects. A union of null and another type is a value of that type or `null`. Branches that JavaScript cannot
 * distinguish (two numbers, two records) are wrapped in their name: `{ 'millrace.Card': { ... } }`. A `long` is a number, or a
 * `bigint` with the option `long`; timestamps are numbers, or `Date` with the option `timestamp`; a `decimal` is a `Decimal`;
 * `bytes` and `fixed` are `Buffer`; other logical types are values of their base type.
 *
 * A payload of another version of the schema is resolved by Avro's rules: defaults, aliases, promotion. Guarantees: a value that
 * cannot be read exactly fails, and its record becomes a dead letter with the reason; nesting ends at 64.
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
