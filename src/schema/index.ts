export { type AvroOptions, avro } from './avro.js';
export { openCodec } from './codec.js';
export { type ConfluentRegistryOptions, confluentRegistry } from './confluent-registry.js';
export { DecodeFailure, type DecodeReason } from './decode-failure.js';
export { json } from './json.js';
export { localRegistry } from './local-registry.js';
export type { WireCodec } from './wire-codec.js';
