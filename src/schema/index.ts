export { type AvroOptions, avro, type Decimal } from './avro.js';
export { openCodec, openDecoder, registerSchema } from './codec.js';
export { type CsvColumn, type CsvOptions, type CsvRow, csv } from './csv.js';
export { schemaTextOf } from './definition.js';
export { DecodeFailure, type DecodeReason } from './failures.js';
export { type JsonOptions, json, ndjson } from './json.js';
export { type JsonSchemaOptions, jsonSchema } from './json-schema.js';
export { type ProtobufOptions, protobuf } from './protobuf.js';
export {
  type ConfluentRegistry,
  type ConfluentRegistryOptions,
  confluentRegistry,
  type Verdict,
} from './registry/confluent.js';
export { localRegistry } from './registry/local.js';
export { subjects } from './subjects.js';
export { bytes, text } from './text.js';
export { decodeRecord, type WireCodec, type WireDecoder } from './wire-codec.js';
