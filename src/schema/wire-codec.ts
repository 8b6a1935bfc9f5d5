import type { LazyJson, RawRecord } from '../core/record.js';
import type { Codec } from '../core/schema.js';
import { DecodeFailure } from './failures.js';
import { withHeaders } from './wire-format.js';

/** A decoder that may first have to load schemas. */
export interface WireDecoder<T> {
  /** Throws `DecodeFailure` with a stable reason; nothing else. */
  decode(bytes: Uint8Array): T;
  /** Like `decode`, for JSON formats: without the bytes if that gives the same. */
  decodeJson?(json: LazyJson): T;
  /**
   * Loads the schemas of new ids in these records, so that `decode` is synchronous. Rejects with `MillraceError('schema')` while
   * the registry cannot be reached; known ids need no request.
   */
  prepare(records: readonly RawRecord[]): Promise<void>;
}

/** The value of a record, from what its source has, which need not be bytes. Throws like `decode`. Not for tombstones. */
export function decodeRecord<T>(decoder: WireDecoder<T>, record: RawRecord): T {
  const { json } = record;
  try {
    if (json !== undefined && decoder.decodeJson !== undefined) return decoder.decodeJson(json);
    return decoder.decode(record.value as Uint8Array); // the getter creates the bytes
  } catch (error) {
    throw error instanceof DecodeFailure ? withHeaders(error, record.headers) : error;
  }
}

export interface WireCodec<T> extends Codec<T>, WireDecoder<T> {
  /** Throws `MillraceError('schema')` if the value does not fit. The bytes must not be changed. */
  encode(value: T): Uint8Array;
  /** For text formats: what `encode` gives, as text. It saves a buffer per value for callers that write many into one block. */
  textOf?(value: T): string;
}

/** For formats that need no registry. */
export const nothingToPrepare = async (): Promise<void> => undefined;
