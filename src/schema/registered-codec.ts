import { messageOf } from '../core/errors.js';
import type { RawRecord } from '../core/record.js';
import type { SchemaRegistry, SchemaText } from '../core/schema.js';
import { ByteReader } from './bytes/byte-reader.js';
import { ByteWriter } from './bytes/byte-writer.js';
import { AS_THE_SCHEMA, DecodeFailure, unrepresentableValue } from './failures.js';
import { nothingToPrepare, type WireCodec, type WireDecoder } from './wire-codec.js';
import { HEADER_SIZE, notWireFormat, schemaIdOf } from './wire-format.js';

type Read = (reader: ByteReader) => unknown;

/** What a format knows, apart from where schemas come from. */
export interface BinaryFormat {
  /** Writes what follows the schema's id. Throws a `Unrepresentable`. */
  write(writer: ByteWriter, value: unknown): void;
  /** How to read what follows the id of our own schema. */
  readonly read: Read;
  /** The same for another writer's schema. Throws where no payload of it could be read as ours. */
  readOther(writer: SchemaText): Read;
}

/** The place of a schema: whose subject it is registered under, and its text. */
export interface Registration {
  readonly subject: string;
  readonly schema: SchemaText;
  readonly registry: SchemaRegistry;
}

/** Unknown ids that are remembered: enough for a burst of garbage, bounded under a stream of it. */
const UNKNOWN_MAX = 10_000;
/** Requests to the registry at a time. */
const LOOKUPS_MAX = 8;

/** A codec in Confluent's wire format, under the id that the registry gives the schema. */
export async function registeredCodec<T>(format: BinaryFormat, place: Registration): Promise<WireCodec<T>> {
  const { subject, schema, registry } = place;
  const id = await registry.idOf(subject, schema);
  const header = Buffer.alloc(HEADER_SIZE);
  header.writeInt32BE(id, 1);
  return { encode: encoderOf<T>(format, subject, header), ...decoderOf<T>(format, registry, id) };
}

/** The reading half: asks the registry for nothing before it meets an id. */
export async function registeredDecoder<T>(format: BinaryFormat, place: Registration): Promise<WireDecoder<T>> {
  const { subject, schema, registry } = place;
  return decoderOf<T>(format, registry, await registry.knownIdOf(subject, schema));
}

/** A codec of payloads with nothing in front: every one is read as one of our own schema. */
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
  let lastId = -1;
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

/** Never throws: a schema that cannot be read as ours is an answer too, and it is kept. */
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
