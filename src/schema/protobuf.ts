import type { Schema } from '../core/schema.js';
import type { DefinitionOptions, RegisteredOptions } from './definition.js';
import type { ProtobufValues } from './protobuf/values.js';

export type ProtobufOptions = DefinitionOptions &
  RegisteredOptions &
  ProtobufValues & {
    /** The full name of the message: `payments.v1.Payment`. */
    readonly message: string;
  };

/**
 * A Protobuf message as an event schema: inert data. The `.proto` text is enough, nothing is generated beforehand.
 *
 * Values are plain objects with all fields, their names in camelCase. A field without a value is its type's zero, an empty
 * array or an empty object; `null` where the schema tells absence apart (messages, `optional`, members of a `oneof`, of
 * which at most one is not `null`). Enums are their names; a number that has no name stays a number. 64-bit integers are
 * numbers that fail beyond 2^53, or `bigint` where `long` says so; bytes are `Buffer`; a map has its keys as text.
 * `google.protobuf.Timestamp` is a `Date`, wrappers are the value or `null`, `Struct` and `Value` are JSON; other
 * well-known types are the messages that they are. Unknown fields are left out; groups and extensions of messages are refused.
 *
 * In the registry's framing the list of message indexes follows the id, as Confluent has it. Guarantees: what cannot be
 * read exactly fails and becomes a dead letter with its reason; nesting ends at 64.
 *
 * @example
 * const PaymentV1 = protobuf<Payment>({
 *   subject: 'payments.v1-value',
 *   file: new URL('./payment.v1.proto', import.meta.url),
 *   message: 'payments.v1.Payment',
 * });
 */
export function protobuf<T>(options: ProtobufOptions): Schema<T> {
  const { subject, references, message, long, timestamp, framing, bytesMax } = options;
  return Object.freeze({
    format: 'protobuf',
    subject,
    definition: options.file ?? options.definition,
    references,
    options: Object.freeze({ message, long, timestamp, framing, bytesMax }),
  });
}
