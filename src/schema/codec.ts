import type { RawRecord } from '../core/record.js';
import type { Codec, Schema, SchemaRegistry } from '../core/schema.js';
import { openAvroCodec } from './avro-codec.js';
import { jsonCodec } from './json-codec.js';

/** A codec whose decoding may first have to learn about schemas. */
export interface WireCodec<T> extends Codec<T> {
  /** Throws `MillraceError('schema')` where the value does not fit. The bytes must not be changed. */
  encode(value: T): Uint8Array;
  /** Throws `DecodeFailure` with a stable reason; nothing else. */
  decode(bytes: Uint8Array): T;
  /**
   * Learns the schema ids in these records that were not met before, so that `decode` can stay synchronous. Rejects
   * with `MillraceError('schema')` while the registry cannot be reached; ids already known never ask it again.
   */
  prepare(records: readonly RawRecord[]): Promise<void>;
}

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
