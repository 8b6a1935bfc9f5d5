import type { LazyJson } from '../../core/record.js';
import { AS_THE_SCHEMA, DecodeFailure, unrepresentableValue } from '../failures.js';
import { jsonOf, parseJson, valueOfJson } from '../plain/json-codec.js';
import { nothingToPrepare, type WireCodec } from '../wire-codec.js';
import { HEADER_SIZE, notWireFormat, schemaIdOf } from '../wire-format.js';
import { type Validators, violationOf } from './validate.js';

const HEADER_ROOM = '\0'.repeat(HEADER_SIZE);

/** The codec of JSON with a schema. `id` is that of the schema, or `undefined` for payloads without an id. */
export function jsonSchemaCodec<T>(
  { reading, writing }: Validators,
  subject: string,
  id: number | undefined,
): WireCodec<T> {
  const start = id === undefined ? 0 : HEADER_SIZE;
  const judged = (value: unknown): T => {
    if (!reading(value)) throw new DecodeFailure('schema-violation', violationOf(reading));
    return value as T;
  };
  return {
    encode(value) {
      if (!writing(value)) throw unrepresentable(violationOf(writing), subject);
      const text = jsonOf(value, subject);
      if (id === undefined) return Buffer.from(text);
      const bytes = Buffer.from(HEADER_ROOM + text); // cheaper than to measure the text and to write it after the header
      bytes.writeInt32BE(id, 1);
      return bytes;
    },
    decode(bytes) {
      if (start > 0 && schemaIdOf(bytes) < 0) throw notWireFormat(bytes);
      return judged(parseJson(bytes, start));
    },
    // A value that comes without bytes has no header.
    ...(id === undefined ? { decodeJson: (json: LazyJson) => judged(valueOfJson(json)) } : {}),
    prepare: nothingToPrepare,
  };
}

const unrepresentable = (violation: string, subject: string) =>
  unrepresentableValue(`a value does not fit schema ${subject}: ${violation}`, subject, AS_THE_SCHEMA);
