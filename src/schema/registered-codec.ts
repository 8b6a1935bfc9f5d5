import { messageOf } from '../core/errors.js';
import type { RawRecord } from '../core/record.js';
import type { SchemaRegistry, SchemaText } from '../core/schema.js';
import { ByteReader } from './bytes/byte-reader.js';
import { ByteWriter } from './bytes/byte-writer.js';
import { AS_THE_SCHEMA, DecodeFailure, unrepresentableValue } from './failures.js';
import { nothingToPrepare, type WireCodec, type WireDecoder } from './wire-codec.js';
import { HEADER_SIZE, notWireFormat, schemaIdOf } from './wire-format.js';

type Read = (reader: ByteReader) => unknown;

/** How a binary format encodes and decodes, without the registry. */
export interface BinaryFormat {
  /** Writes the body, which follows the schema id. Throws an `Unrepresentable`. */
  write(writer: ByteWriter, value: unknown): void;
  /** Reads the body of a payload of our own schema. */
  readonly read: Read;
  /** The same for another writer's schema. Throws if no payload of it could be read as ours. */
  readOther(writer: SchemaText): Read;
}

/** A schema, its subject and its registry. */
export interface Registration {
  readonly subject: string;
  readonly schema: SchemaText;
  readonly registry: SchemaRegistry;
}

/** Unknown ids that are remembered, so that a stream of garbage costs bounded memory. */
const UNKNOWN_MAX = 10_000;
/** Concurrent requests to the registry. */
const LOOKUPS_MAX = 8;

/** A codec in Confluent's wire format, under the id that the registry gives the schema. */
export async function registeredCodec<T>(format: BinaryFormat, registration: Registration): Promise<WireCodec<T>> {
  const { subject, schema, registry } = registration;
  const id = await registry.idOf(subject, schema);
  const header = Buffer.alloc(HEADER_SIZE);
  header.writeInt32BE(id, 1);
  return { encode: encoderOf<T>(format, subject, header), ...decoderOf<T>(format, registry, id) };
}

/** The reading half: it sends no request to the registry before the first unknown id. */
export async function registeredDecoder<T>(format: BinaryFormat, registration: Registration): Promise<WireDecoder<T>> {
  const { subject, schema, registry } = registration;
  return decoderOf<T>(format, registry, await registry.knownIdOf(subject, schema));
}

/** A codec of payloads without a schema id: all are read with our own schema. */
export function bareCodec<T>(format: BinaryFormat, subject: string): WireCodec<T> {
  const reader = new ByteReader();
  return {
    encode: encoderOf<T>(format, subject, new Uint8Array()),
    decode: (bytes) => readWhole<T>(reader, bytes, 0, format.read),
    prepare: nothingToPrepare,
  };
}

function encoderOf<T>(format: BinaryFormat, subject: string, header: Uint8Array): (value: T) => Uint8Array {
  const writer = new ByteWriter();
  return (value) => {
    writer.begin();
    writer.raw(header);
    try {
      format.write(writer, value);
    } catch (cause) {
      writer.abandon();
      throw unrepresentableValue(
        `a value does not fit schema ${subject}: ${messageOf(cause)}`,
        subject,
        AS_THE_SCHEMA,
        cause,
      );
    }
    return writer.finish();
  };
}

function readWhole<T>(reader: ByteReader, bytes: Uint8Array, start: number, read: Read): T {
  reader.open(bytes, start);
  const value = read(reader);
  reader.close();
  return value as T;
}

function decoderOf<T>(format: BinaryFormat, registry: SchemaRegistry, ownId: number | undefined): WireDecoder<T> {
  const reader = new ByteReader();
  /** By the writer's id: how to read its payloads, or why not. */
  const readers = new Map<number, Read | DecodeFailure>();
  if (ownId !== undefined) readers.set(ownId, format.read);
  const unknown = new Set<number>();
  let lastId: number | undefined;
  let lastRead: Read | DecodeFailure | undefined;

  const learn = async (id: number): Promise<void> => {
    const writer = await registry.schemaOf(id);
    if (writer !== undefined) {
      readers.set(id, readerOf(format, writer));
      return;
    }
    if (unknown.size >= UNKNOWN_MAX) unknown.delete(unknown.values().next().value as number);
    unknown.add(id);
  };

  return {
    decode(bytes) {
      const id = schemaIdOf(bytes);
      if (id !== lastId || lastRead === undefined) {
        if (id < 0) throw notWireFormat(bytes);
        lastRead = readers.get(id);
        lastId = id;
        if (lastRead === undefined) {
          throw new DecodeFailure('schema-id-unknown', `the registry knows no schema ${id}`);
        }
      }
      if (typeof lastRead === 'function') return readWhole<T>(reader, bytes, HEADER_SIZE, lastRead);
      throw new DecodeFailure(lastRead.reason, lastRead.message, lastRead.cause);
    },

    async prepare(records) {
      const ids = newIds(records, (known) => readers.has(known) || unknown.has(known));
      for (let at = 0; at < ids.length; at += LOOKUPS_MAX) {
        await Promise.all(ids.slice(at, at + LOOKUPS_MAX).map(learn));
      }
    },
  };
}

/** Never throws: that a schema cannot be read as ours is cached like any answer. */
function readerOf(format: BinaryFormat, writer: SchemaText): Read | DecodeFailure {
  try {
    return format.readOther(writer);
  } catch (cause) {
    if (cause instanceof DecodeFailure) return cause;
    return new DecodeFailure('schema-incompatible', `the writer's schema cannot be read as ours: ${messageOf(cause)}`);
  }
}

function newIds(records: readonly RawRecord[], isKnown: (id: number) => boolean): number[] {
  const found = new Set<number>();
  let last = -1;
  for (const { value } of records) {
    const id = value === null ? -1 : schemaIdOf(value);
    if (id === last || id < 0) continue;
    last = id;
    if (!isKnown(id)) found.add(id);
  }
  return [...found];
}
