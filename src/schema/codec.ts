import type { Schema, SchemaRegistry } from '../core/schema.js';
import { openAvroCodec } from './avro-codec.js';
import { jsonCodec } from './json-codec.js';
import type { WireCodec } from './wire-codec.js';

/**
 * Opens the codec of a schema: reads its text, registers it, and gets ready to encode and decode.
 *
 * Avro goes in Confluent's wire format; a payload of another writer schema is resolved to ours by Avro's rules.
 * Memory: the ids met, of unknown ones the last 10,000.
 *
 * @example
 * const codec = await openCodec(FlightDepartedV1, localRegistry());
 * const bytes = codec.encode({ flightId: 1, ... });
 * await codec.prepare([{ offset: 0, timestampMs: 0, key: null, value: bytes }]);
 * codec.decode(bytes).flightId; // 1
 */
export async function openCodec<T>(schema: Schema<T>, registry: SchemaRegistry): Promise<WireCodec<T>> {
  return schema.format === 'json' ? jsonCodec(schema.subject) : openAvroCodec(schema, registry);
}
