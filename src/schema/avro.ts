import type { Schema } from '../core/schema.js';

/** Where an Avro schema's text is: in a file of its own (the usual case), or at hand. */
export type AvroOptions =
  | { readonly subject: string; readonly file: URL }
  | { readonly subject: string; readonly definition: string };

/**
 * An Avro event schema as inert data; nothing is read before a codec is opened for it.
 *
 * Values are plain objects: a union of null and something is that something or `null`, a `long` is a number (of
 * 2^52 or more it fails, to write and to read), logical types are left as what they are made of (`timestamp-millis` is a number of
 * milliseconds).
 *
 * @example
 * const FlightDepartedV1 = avro<FlightDeparted>({
 *   subject: 'flights.departed.v1-value',
 *   file: new URL('./flight-departed.v1.avsc', import.meta.url),
 * });
 */
export function avro<T>(options: AvroOptions): Schema<T> {
  const definition = 'file' in options ? options.file : options.definition;
  return Object.freeze({ format: 'avro', subject: options.subject, definition });
}
