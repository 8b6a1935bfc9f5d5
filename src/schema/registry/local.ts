import { createHash } from 'node:crypto';
import { MillraceError } from '../../core/errors.js';
import type { SchemaData, SchemaRegistry, SchemaText } from '../../core/schema.js';
import { getOrInsert } from '../../util/maps.js';
import { schemaTextOf } from '../definition.js';

const hasText = new Set(['avro', 'json-schema', 'protobuf']);

/**
 * A schema registry without a server. The id of a schema is a digest of its text, so every process computes the same id and nothing
 * needs to be stored.
 *
 * It knows the schemas that it was given, and those that it has seen since. Memory: the texts.
 *
 * @throws MillraceError `schema` if two texts have the same id (probability 2^-31 for a pair).
 *
 * @example
 * const registry = localRegistry([FlightDepartedV1, FlightArrivedV1]);
 */
export function localRegistry(schemas: readonly SchemaData[] = []): SchemaRegistry {
  const texts = new Map<number, { readonly canonical: string; readonly schema: SchemaText }>();
  const versions = new Map<string, Map<number, SchemaText>>();

  const remember = (subject: string, schema: SchemaText): number => {
    const canonical = canonicalText(schema, subject);
    const id = digestOf(canonical);
    const known = texts.get(id);
    if (known !== undefined && known.canonical !== canonical) {
      throw new MillraceError('schema', `two schemas have the same digest ${id}`, {
        where: subject,
        hint: 'change one of them in any way, for example its doc text',
        permanent: true,
      });
    }
    texts.set(id, { canonical, schema });
    return id;
  };

  let given: Promise<unknown> | undefined;
  const ready = (): Promise<unknown> => {
    given ??= Promise.all(
      schemas
        .filter(({ format }) => hasText.has(format))
        .map(async (schema) => remember(schema.subject, await schemaTextOf(schema))),
    );
    return given;
  };

  return {
    async idOf(subject, schema) {
      const id = remember(subject, schema);
      getOrInsert(versions, subject, () => new Map<number, SchemaText>()).set(id, schema);
      return id;
    },
    knownIdOf: async (subject, schema) => remember(subject, schema),
    schemaOf: async (id) => {
      await ready();
      return texts.get(id)?.schema;
    },
    async latest(subject) {
      const known = [...(versions.get(subject)?.values() ?? [])];
      const schema = known.at(-1);
      return schema && { version: known.length, schema };
    },
  };
}

/** For Avro without references only the text, so that ids of stored records stay valid. */
function canonicalText(schema: SchemaText, subject: string): string {
  const own = schema.format === 'protobuf' ? schema.text.trim() : canonicalJson(schema.text, subject);
  if (schema.format === 'avro' && schema.references.length === 0) return own;
  const references = schema.references.map(({ name, schema: inner }) => [name, canonicalText(inner, subject)]);
  return JSON.stringify([schema.format, own, references]);
}

function canonicalJson(text: string, subject: string): string {
  try {
    return JSON.stringify(sorted(JSON.parse(text)));
  } catch (cause) {
    throw new MillraceError('schema', `schema ${subject} is not JSON`, {
      where: subject,
      hint: 'an Avro schema or a JSON schema must be JSON',
      permanent: true,
      cause,
    });
  }
}

/** The same text for schemas that differ only in the order of keys and in white space. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (value === null || typeof value !== 'object') return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, inner]) => [key, sorted(inner)]));
}

/** 31 bits of SHA-256, because ids are signed in the wire format. */
const digestOf = (text: string): number => createHash('sha256').update(text).digest().readUInt32BE(0) >>> 1;
