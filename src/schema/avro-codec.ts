import type avsc from 'avsc';
import { MillraceError, messageOf } from '../core/errors.js';
import type { RawRecord } from '../core/record.js';
import type { Schema, SchemaRegistry } from '../core/schema.js';
import { compileCheck } from './avro-check.js';
import { DecodeFailure } from './decode-failure.js';
import { definitionText, parseAvro } from './definition.js';
import type { WireCodec } from './wire-codec.js';
import { HEADER_SIZE, notWireFormat, schemaIdOf } from './wire-format.js';

/** How to read the payloads of one writer schema, or why not. */
type Reader<T> = ((bytes: Uint8Array) => T) | DecodeFailure;

/** Unknown ids that are remembered: enough for a burst of garbage, bounded under a stream of it. */
const UNKNOWN_MAX = 10_000;
/** Requests to the registry at a time. */
const LOOKUPS_MAX = 8;

/** The codec of an Avro schema in Confluent's wire format; see `openCodec`. */
export async function openAvroCodec<T>(schema: Schema<T>, registry: SchemaRegistry): Promise<WireCodec<T>> {
  const { subject } = schema;
  const definition = await definitionText(schema);
  const type = parseOwn(definition, subject);
  const id = await registry.idOf(subject, definition);
  const readers = new Map<number, Reader<T>>([[id, openReader<T>(type, undefined)]]);
  const unknown = new Set<number>();
  let lastId = id;
  let lastReader = readers.get(id);

  const learn = async (newId: number): Promise<void> => {
    const writer = await registry.definitionOf(newId);
    if (writer === undefined) {
      if (unknown.size >= UNKNOWN_MAX) unknown.delete(unknown.values().next().value as number);
      unknown.add(newId);
    } else {
      readers.set(newId, openForeignReader(type, writer));
    }
  };

  return {
    encode: encoder(type, id, subject),

    decode(bytes) {
      const writerId = schemaIdOf(bytes);
      if (writerId !== lastId) {
        if (writerId < 0) throw notWireFormat(bytes);
        const reader = readers.get(writerId);
        if (reader === undefined) {
          throw new DecodeFailure('schema-id-unknown', `the registry knows no schema ${writerId}`);
        }
        lastId = writerId;
        lastReader = reader;
      }
      if (typeof lastReader === 'function') return lastReader(bytes);
      throw new DecodeFailure(lastReader?.reason ?? 'malformed', lastReader?.message ?? '', lastReader?.cause);
    },

    async prepare(records) {
      const ids = newIds(records, (known) => readers.has(known) || unknown.has(known));
      for (let at = 0; at < ids.length; at += LOOKUPS_MAX) {
        await Promise.all(ids.slice(at, at + LOOKUPS_MAX).map(learn));
      }
    },
  };
}

function parseOwn(definition: string, subject: string): avsc.Type {
  try {
    return parseAvro(definition);
  } catch (cause) {
    throw new MillraceError('schema', `schema ${subject} is not valid Avro: ${messageOf(cause)}`, {
      where: subject,
      hint: 'see https://avro.apache.org/docs/1.12.0/specification/ for what a schema may hold',
      cause,
    });
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

/** Never throws: a schema that cannot be read as ours is an answer too, and it is kept. */
function openForeignReader<T>(type: avsc.Type, writerDefinition: string): Reader<T> {
  try {
    const writer = parseAvro(writerDefinition);
    return openReader(type, writer);
  } catch (cause) {
    if (cause instanceof DecodeFailure) return cause;
    return new DecodeFailure('schema-incompatible', `the writer's schema cannot be read as ours: ${messageOf(cause)}`);
  }
}

function openReader<T>(type: avsc.Type, writer: avsc.Type | undefined): (bytes: Uint8Array) => T {
  const check = compileCheck(writer ?? type);
  const resolver = writer === undefined ? undefined : type.createResolver(writer, { ignoreNamespaces: true });
  return (bytes) => {
    check(bytes, HEADER_SIZE);
    try {
      return type.decode(asBuffer(bytes), HEADER_SIZE, resolver).value as T;
    } catch (cause) {
      // The check has passed, so this is about meaning: an enum symbol or a union branch that we do not have.
      throw new DecodeFailure('schema-incompatible', messageOf(cause), cause);
    }
  };
}

const asBuffer = (bytes: Uint8Array): Buffer =>
  Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);

const SLAB_SIZE = 64 * 1024;

/** Values are written one after another into slabs and handed out as views: no copy, one allocation per 64 KiB. */
function encoder<T>(type: avsc.Type, id: number, subject: string): (value: T) => Uint8Array {
  const check = compileCheck(type);
  let slab = Buffer.allocUnsafeSlow(SLAB_SIZE);
  let at = 0;

  const misfit = (cause: unknown): MillraceError =>
    new MillraceError('schema', `a value does not fit schema ${subject}: ${messageOf(cause)}`, {
      where: subject,
      hint: 'the fields and types of what is emitted must be those of the schema',
      cause,
    });

  /** What cannot be read back must not be written: a long beyond 2^52 is another number by now. */
  const checked = (bytes: Uint8Array): Uint8Array => {
    try {
      check(bytes, HEADER_SIZE);
      return bytes;
    } catch (cause) {
      throw misfit(cause);
    }
  };

  const write = (value: T): number => {
    slab[at] = 0;
    slab.writeInt32BE(id, at + 1);
    try {
      return type.encode(value, slab, at + HEADER_SIZE);
    } catch (cause) {
      throw misfit(cause);
    }
  };

  return (value) => {
    if (SLAB_SIZE - at < HEADER_SIZE) {
      slab = Buffer.allocUnsafeSlow(SLAB_SIZE);
      at = 0;
    }
    let end = write(value);
    if (end < 0) {
      // avsc answers with the missing bytes, negated.
      const size = SLAB_SIZE - at - end;
      const large = size > SLAB_SIZE;
      slab = Buffer.allocUnsafeSlow(Math.max(size, SLAB_SIZE));
      at = 0;
      end = write(value);
      if (large) {
        const alone = slab;
        slab = Buffer.allocUnsafeSlow(SLAB_SIZE);
        return checked(alone.subarray(0, end));
      }
    }
    const bytes = slab.subarray(at, end);
    at = end;
    return checked(bytes);
  };
}
