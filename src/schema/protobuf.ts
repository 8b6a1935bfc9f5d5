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
 * A Protobuf message as an event schema: inert data. It needs the `.proto` text only; no code is generated.
 *
 * Values are plain objects with all fields, named in camelCase:
 * - A field without a value is the zero of its type, an empty array or an empty object. If its absence is known (messages,
 *   `optional`, members of a `oneof`), it is `null`. At most one member of a `oneof` is not `null`.
 * - An enum is its name; a number without a name stays a number.
 * - A 64-bit integer is a number, which fails from 2^53, or a `bigint` with the option `long`.
 * - `bytes` are a `Buffer`; a map is an object with its keys as text.
 * - `google.protobuf.Timestamp` is a `Date`, a wrapper is its value or `null`, `Struct` and `Value` are JSON. Other well-known types
 *   are messages.
 *
 * Unknown fields are left out. Groups and extensions of messages are refused when the codec is opened. With the registry's framing the
 * list of message indexes follows the id, as in Confluent's clients. Guarantees: a value that cannot be read exactly fails, and its
 * record becomes a dead letter with the reason; nesting ends at 64.
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
