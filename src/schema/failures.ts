import { MillraceError } from '../core/errors.js';

/** Why a payload cannot be read: a closed, stable set, since dead letters are counted by it. */
export type DecodeReason =
  | 'not-wire-format' // no magic byte and schema id in front
  | 'schema-id-in-header' // the writer's schema is named by a header, which is not read
  | 'schema-id-unknown' // the registry does not know the writer's schema
  | 'schema-incompatible' // the writer's schema, or this value of it, cannot be read as ours
  | 'truncated' // ends in the middle of a value
  | 'trailing-bytes' // goes on after the value
  | 'out-of-range' // a number that its type, or a JavaScript number, cannot hold
  | 'too-large' // more bytes than allowed, or claims more items than its bytes can hold
  | 'too-deep' // nested deeper than any event should be
  | 'not-json' // not JSON in UTF-8
  | 'not-utf8' // not text in UTF-8
  | 'not-csv' // not one row of the columns that were declared
  | 'schema-violation' // JSON that its schema does not allow
  | 'malformed'; // anything else that the encoding forbids

/** A payload that cannot be read. It never stands for a fault of the program: those are thrown as what they are. */
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

/** The error for a value that a schema has no room for: the same value fails at every try. */
export const unrepresentableValue = (message: string, subject: string, hint: string, cause?: unknown): MillraceError =>
  new MillraceError('schema', message, { where: subject, hint, permanent: true, cause });

/** The hint where a schema says what values are. */
export const AS_THE_SCHEMA = 'the fields and types of what is emitted must be those of the schema';
