import type { LazyJson, RawRecord } from '../core/record.js';
import type { Codec } from '../core/schema.js';
import { DecodeFailure } from './failures.js';
import { withHeaders } from './wire-format.js';

/** Decoding that may first have to learn about schemas. */
export interface WireDecoder<T> {
  /** Throws `DecodeFailure` with a stable reason; nothing else. */
  decode(bytes: Uint8Array): T;
  /** What `decode` makes of the bytes, where the format is JSON: without them as far as that gives the same. */
  decodeJson?(json: LazyJson): T;
  /**
   * Learns the schema ids in these records that were not met before, so that `decode` can stay synchronous. Rejects
   * with `MillraceError('schema')` while the registry cannot be reached; ids already known never ask it again.
   */
  prepare(records: readonly RawRecord[]): Promise<void>;
}

/** The value of a record: of what its source has, which need not be bytes. Throws as `decode` does. No tombstones. */
export function decodeRecord<T>(decoder: WireDecoder<T>, record: RawRecord): T {
  const { json } = record;
  try {
    if (json !== undefined && decoder.decodeJson !== undefined) return decoder.decodeJson(json);
    return decoder.decode(record.value as Uint8Array); // who asks for it has it made
  } catch (error) {
    throw error instanceof DecodeFailure ? withHeaders(error, record.headers) : error;
  }
}

export interface WireCodec<T> extends Codec<T>, WireDecoder<T> {
  /** Throws `MillraceError('schema')` where the value does not fit. The bytes must not be changed. */
  encode(value: T): Uint8Array;
  /** Of formats that are texts: that of a value, without a line end. Who puts many into one block spares bytes for each. */
  textOf?(value: T): string;
}

/** Formats that need no registry learn nothing. */
export const nothingToPrepare = async (): Promise<void> => undefined;
