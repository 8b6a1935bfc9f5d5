import { MillraceError } from '../core/errors.js';

/** Why a payload cannot be read. The set is closed and stable, because dead letters are counted by it. */
export type DecodeReason =
  | 'not-wire-format' // no magic byte and schema id as prefix
  | 'schema-id-in-header' // the writer's schema is in a header, which is not read
  | 'schema-id-unknown' // the registry does not know the writer's schema
  | 'schema-incompatible' // the writer's schema, or this value of it, cannot be read with ours
  | 'truncated' // ends in the middle of a value
  | 'trailing-bytes' // continues after the value
  | 'out-of-range' // a number that its type, or a JavaScript number, cannot hold
  | 'too-large' // more bytes than allowed, or claims more items than its bytes can hold
  | 'too-deep' // nested deeper than allowed
  | 'not-json' // not JSON in UTF-8
  | 'not-utf8' // not text in UTF-8
  | 'not-csv' // not one row of the declared columns
  | 'schema-violation' // JSON that its schema does not allow
  | 'malformed'; // anything else that the encoding forbids

/** A payload that cannot be read. Bugs of the program are other errors. */
export class DecodeFailure extends Error {
  override readonly name = 'DecodeFailure';

  constructor(
    readonly reason: DecodeReason,
    message: string,
    cause?: unknown,
  ) {
    super(message, cause === undefined ? undefined : { cause });
  }
}

/** The permanent error for a value that a schema cannot represent. */
export const unrepresentableValue = (message: string, subject: string, hint: string, cause?: unknown): MillraceError =>
  new MillraceError('schema', message, { where: subject, hint, permanent: true, cause });

/** The hint if a schema defines the values. */
export const AS_THE_SCHEMA = 'a value must have the fields and types of the schema';
