import type { Headers } from '../core/record.js';
import type { RegistryFormat, SchemaText } from '../core/schema.js';
import { DecodeFailure, type DecodeReason } from './failures.js';

// Confluent's wire format: a zero byte, the id of the writer's schema (32 bits, big-endian), then the body.

export const HEADER_SIZE = 5;

/** The schema id of a payload, or -1 if there is none. */
export function schemaIdOf(bytes: Uint8Array): number {
  if (bytes.length < HEADER_SIZE || bytes[0] !== 0) return -1;
  const id =
    ((bytes[1] as number) << 24) | ((bytes[2] as number) << 16) | ((bytes[3] as number) << 8) | (bytes[4] as number);
  return id < 0 ? -1 : id;
}

/** The failure for a payload without a schema id, with a fitting message. */
export function notWireFormat(bytes: Uint8Array): DecodeFailure {
  const problem =
    bytes.length < HEADER_SIZE
      ? `${bytes.length} bytes cannot hold the header of ${HEADER_SIZE}`
      : bytes[0] !== 0
        ? `starts with byte ${bytes[0]}, not with 0`
        : 'the schema id is negative';
  return new DecodeFailure('not-wire-format', problem);
}

/** Confluent's other format: a byte of one and the schema's GUID in a header, and no prefix of the payload. */
const HEADER_OF_VALUE = '__value_schema_id';

/**
 * The failure of a record with its schema in a header: other errors of the payload follow from that. Any other failure is returned
 * unchanged.
 */
export function withHeaders(failure: DecodeFailure, headers: Headers | undefined): DecodeFailure {
  if (!followsFromHeader.has(failure.reason) || !headers?.some(([name]) => name === HEADER_OF_VALUE)) return failure;
  const problem = `its schema is said in the header ${HEADER_OF_VALUE}, not in front of the payload: set its serializer to prefix ids (PrefixSchemaIdSerializer)`;
  return new DecodeFailure('schema-id-in-header', problem, failure);
}

const followsFromHeader: ReadonlySet<string> = new Set([
  'not-wire-format',
  'schema-id-unknown',
  'schema-incompatible',
] satisfies DecodeReason[]);

/** The failure for every payload of a writer with another format. */
export const wrongFormat = (writer: SchemaText, ours: RegistryFormat): DecodeFailure =>
  new DecodeFailure('schema-incompatible', `the writer's schema is ${writer.format}, ours is ${ours}`);
