import type { LazyJson } from '../core/record.js';
import type { Schema, SchemaData, SchemaRegistry, SchemaText } from '../core/schema.js';
import type { AvroValues } from './avro/values.js';
import { framingOf, type RegisteredOptions, schemaTextOf } from './definition.js';
import { DecodeFailure } from './failures.js';
import type { CsvForm } from './plain/csv-codec.js';
import { jsonCodec } from './plain/json-codec.js';
import type { ProtobufValues } from './protobuf/values.js';
import { type BinaryFormat, bareCodec, registeredCodec, registeredDecoder } from './registered-codec.js';
import type { WireCodec, WireDecoder } from './wire-codec.js';

/** Enough for any event, and a limit of what one payload can cost. */
const BYTES_MAX = 16 * 1024 * 1024;

/**
 * Opens the codec of a schema: reads its text, registers a new one, and prepares to encode and decode.
 *
 * Formats with a schema use Confluent's wire format; a payload of another writer's schema is resolved to ours by the format's
 * rules. Memory: the known ids, and the last 10,000 unknown ones.
 *
 * @throws MillraceError `schema` if the schema cannot be read, or the registry refuses it (with its reasons).
 * @example
 * const codec = await openCodec(FlightDepartedV1, localRegistry());
 * const bytes = codec.encode({ flightId: 1, ... });
 * await codec.prepare([{ offset: 0, timestampMs: 0, key: null, value: bytes }]);
 * codec.decode(bytes).flightId; // 1
 */
export async function openCodec<T>(schema: Schema<T>, registry: SchemaRegistry): Promise<WireCodec<T>> {
  return limited(schema, await open<T>(schema, registry));
}

/**
 * The reading half of `openCodec`. It registers nothing, and requests only the ids that it reads from the registry, so a task that
 * reads starts without one.
 *
 * @example
 * const { decode } = await openDecoder(source.schema, schemas);
 */
export async function openDecoder<T>(schema: Schema<T>, registry: SchemaRegistry): Promise<WireDecoder<T>> {
  if (framingOf(schema) === 'none' || !isBinary(schema))
    return limited(schema, await open<T>(schema, readingOnly(registry)));
  const text = await schemaTextOf(schema);
  const { subject } = schema;
  return limited(
    schema,
    await registeredDecoder<T>(await binaryFormat(schema, text), { subject, schema: text, registry }),
  );
}

/**
 * Registers a schema, or finds that it is registered. It is called before a run, so that a refusal comes before any record. Formats
 * without a registered schema do nothing.
 *
 * @throws MillraceError `schema` with the registry's reasons.
 * @example
 * await registerSchema(schema, schemas);
 */
export async function registerSchema(schema: SchemaData, registry: SchemaRegistry): Promise<number | undefined> {
  if (framingOf(schema) === 'none') return undefined;
  return registry.idOf(schema.subject, await schemaTextOf(schema));
}

const isBinary = ({ format }: SchemaData): boolean => format === 'avro' || format === 'protobuf';

/** JSON with a schema has an id as prefix, which readers ignore. */
const readingOnly = (registry: SchemaRegistry): SchemaRegistry => ({
  idOf: async (subject, schema) => (await registry.knownIdOf(subject, schema)) ?? 0,
  knownIdOf: (subject, schema) => registry.knownIdOf(subject, schema),
  schemaOf: (id) => registry.schemaOf(id),
  latest: (subject) => registry.latest(subject),
});

// Each format's code, with its library, is loaded on demand. Plain JSON needs no library and opens without reading a file: virtual
// time does not advance during a read.
async function open<T>(schema: Schema<T>, registry: SchemaRegistry): Promise<WireCodec<T>> {
  const { subject, format } = schema;
  switch (format) {
    case 'avro':
    case 'protobuf': {
      const text = await schemaTextOf(schema);
      const binary = await binaryFormat(schema, text);
      if (framingOf(schema) === 'none') return bareCodec<T>(binary, subject);
      return registeredCodec<T>(binary, { subject, schema: text, registry });
    }
    case 'json-schema': {
      const text = await schemaTextOf(schema);
      const [{ compileValidators }, { jsonSchemaCodec }] = await Promise.all([
        import('./json-schema/validate.js'),
        import('./json-schema/codec.js'),
      ]);
      const validators = compileValidators(text, subject);
      const id = framingOf(schema) === 'none' ? undefined : await registry.idOf(subject, text);
      return jsonSchemaCodec<T>(validators, subject, id);
    }
    case 'json':
      return jsonCodec<T>(subject, (schema.options as { newline?: boolean } | undefined)?.newline ?? false);
    case 'csv': {
      const { csvCodec } = await import('./plain/csv-codec.js');
      return csvCodec<T>(subject, schema.options as CsvForm);
    }
    case 'text': {
      const { textCodec } = await import('./plain/text-codec.js');
      return textCodec(subject) as WireCodec<unknown> as WireCodec<T>;
    }
    case 'bytes': {
      const { bytesCodec } = await import('./plain/text-codec.js');
      return bytesCodec(subject) as WireCodec<unknown> as WireCodec<T>;
    }
  }
}

async function binaryFormat(schema: SchemaData, text: SchemaText): Promise<BinaryFormat> {
  if (schema.format === 'avro') {
    const { avroFormat } = await import('./avro/codec.js');
    return avroFormat(text, (schema.options ?? {}) as AvroValues, schema.subject);
  }
  const { protobufFormat } = await import('./protobuf/codec.js');
  return protobufFormat(text, schema.options as ProtobufValues & { message: string }, schema.subject);
}

function limited<C extends WireDecoder<unknown>>(schema: SchemaData, codec: C): C {
  const bytesMax = (schema.options as RegisteredOptions | undefined)?.bytesMax ?? BYTES_MAX;
  const { decode: decodeAny, decodeJson } = codec;
  const decode = (bytes: Uint8Array) => {
    if (bytes.length > bytesMax) {
      throw new DecodeFailure('too-large', `${bytes.length} bytes where ${bytesMax} are allowed`);
    }
    return decodeAny(bytes);
  };
  if (decodeJson === undefined) return { ...codec, decode };
  return {
    ...codec,
    decode,
    decodeJson: (json: LazyJson) => (json.bytesMax > bytesMax ? decode(json.bytes) : decodeJson(json)),
  };
}
