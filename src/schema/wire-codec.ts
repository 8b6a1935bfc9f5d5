import type { RawRecord } from '../core/record.js';
import type { Codec } from '../core/schema.js';

/** Decoding that may first have to learn about schemas. */
export interface WireDecoder<T> {
  /** Throws `DecodeFailure` with a stable reason; nothing else. */
  decode(bytes: Uint8Array): T;
  /**
   * Learns the schema ids in these records that were not met before, so that `decode` can stay synchronous. Rejects
   * with `MillraceError('schema')` while the registry cannot be reached; ids already known never ask it again.
   */
  prepare(records: readonly RawRecord[]): Promise<void>;
}

export interface WireCodec<T> extends Codec<T>, WireDecoder<T> {
  /** Throws `MillraceError('schema')` where the value does not fit. The bytes must not be changed. */
  encode(value: T): Uint8Array;
}

/** Formats that need no registry learn nothing. */
export const nothingToPrepare = async (): Promise<void> => undefined;
