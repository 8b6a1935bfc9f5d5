import { createHash } from 'node:crypto';
import { MillraceError } from '../core/errors.js';
import type { SchemaRegistry } from '../core/schema.js';
import { type AnySchema, definitionText } from './definition.js';

/**
 * A schema registry without a server: the id of a schema is a digest of its text, so every process gives the same
 * schema the same id, and nothing has to be stored to find it again.
 *
 * It knows the schemas it was given and those it has seen since. Two texts with one id (one in 2^31 for a pair) are
 * refused, never mixed up. Memory: the texts.
 *
 * @example
 * const registry = localRegistry([FlightDepartedV1, FlightArrivedV1]);
 */
export function localRegistry(schemas: readonly AnySchema[] = []): SchemaRegistry {
  const definitions = new Map<number, string>();

  const remember = (subject: string, definition: string): number => {
    const canonical = canonicalText(definition, subject);
    const id = digestOf(canonical);
    const known = definitions.get(id);
    if (known !== undefined && known !== canonical) {
      throw new MillraceError('schema', `two schemas have the same digest ${id}`, {
        where: subject,
        hint: 'change one of them in any way, a doc text will do',
      });
    }
    definitions.set(id, canonical);
    return id;
  };

  let given: Promise<unknown> | undefined;
  const ready = (): Promise<unknown> => {
    given ??= Promise.all(
      schemas
        .filter(({ format }) => format === 'avro')
        .map(async (schema) => remember(schema.subject, await definitionText(schema))),
    );
    return given;
  };

  return {
    idOf: async (subject, definition) => remember(subject, definition),
    definitionOf: async (id) => {
      await ready();
      return definitions.get(id);
    },
  };
}

function canonicalText(definition: string, subject: string): string {
  try {
    return JSON.stringify(sorted(JSON.parse(definition)));
  } catch (cause) {
    throw new MillraceError('schema', `schema ${subject} is not JSON`, {
      where: subject,
      hint: 'an Avro schema is written in JSON',
      cause,
    });
  }
}

/** Key order and white space do not make another schema. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (value === null || typeof value !== 'object') return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, inner]) => [key, sorted(inner)]));
}

/** 31 bits of SHA-256: ids are signed in the wire format, and servers count theirs up from 1. */
const digestOf = (text: string): number => createHash('sha256').update(text).digest().readUInt32BE(0) >>> 1;
