import { MillraceError } from '../../core/errors.js';
import type { RegistryFormat, SchemaReference, SchemaRegistry, SchemaText } from '../../core/schema.js';
import { type Registered, registeredIn, wholeNumberIn } from './answers.js';
import { type Rest, type RestOptions, restOf } from './rest.js';

export type ConfluentRegistryOptions = RestOptions;

/** A registry's answer about a schema that it has not registered. */
export interface Verdict {
  readonly compatible: boolean;
  /** The registry's reasons. */
  readonly reasons: readonly string[];
}

export interface ConfluentRegistry extends SchemaRegistry {
  /** Whether a subject would accept this schema as its next version. A subject that does not exist accepts any. */
  compatibility(subject: string, schema: SchemaText): Promise<Verdict>;
}

/** The most schemas that one may refer to, directly and indirectly. */
const REFERENCES_MAX = 1_000;

const typeNames = { avro: 'AVRO', 'json-schema': 'JSON', protobuf: 'PROTOBUF' } as const;
const formats = new Map<string, RegistryFormat>(
  Object.entries(typeNames).map(([format, name]) => [name, format as RegistryFormat]),
);

/**
 * A registry with Confluent's REST API (Confluent, Apicurio, Karapace), used through Confluent's own client.
 *
 * Answers are cached without a time limit, because the schema of an id never changes. So known schemas can be read during an outage.
 * An id that the server does not know is `undefined`. Memory: one schema per id.
 *
 * @throws MillraceError `schema` if the server does not answer or refuses, after two retries. A refused schema (incompatible or
 * invalid) is a permanent error with the registry's reasons.
 *
 * @example
 * const registry = confluentRegistry({ url: 'http://127.0.0.1:8081' });
 * await registry.idOf('clicks-value', { format: 'avro', text: '{"type":"record",...}', references: [] }); // 17
 */
export function confluentRegistry(options: ConfluentRegistryOptions): ConfluentRegistry {
  const rest = restOf(options);
  const ids = new Map<string, Promise<number>>();
  const settled = new Map<string, number>();
  const schemas = new Map<number, SchemaText>();
  const keyOf = (subject: string, schema: SchemaText): string => JSON.stringify([subject, schema]);

  const idOf = (subject: string, schema: SchemaText): Promise<number> => {
    const key = keyOf(subject, schema);
    const known = ids.get(key);
    if (known !== undefined) return known;
    const asked = register(rest, subject, schema).then(
      (id) => {
        settled.set(key, id);
        schemas.set(id, schema);
        return id;
      },
      (error: unknown) => {
        ids.delete(key); // the next one asks again
        throw error;
      },
    );
    ids.set(key, asked);
    return asked;
  };

  return {
    idOf,
    knownIdOf: async (subject, schema) => settled.get(keyOf(subject, schema)),

    async schemaOf(id) {
      const known = schemas.get(id);
      if (known !== undefined) return known;
      const doing = `look up schema ${id}`;
      const found = await rest<unknown>('GET', `/schemas/ids/${id}`, { doing, absent: [404] });
      if (found === undefined) return undefined;
      const schema = await whole(rest, registeredIn(found, doing), doing);
      schemas.set(id, schema);
      return schema;
    },

    async compatibility(subject, schema) {
      const doing = `ask whether ${subject} takes the schema`;
      const path = `/compatibility/subjects/${encodeURIComponent(subject)}/versions?verbose=true`;
      const body = await bodyOf(rest, schema);
      const answer = await rest<{ is_compatible: boolean; messages?: string[]; reason?: string }>(
        'POST',
        path,
        { doing, absent: [404] },
        body,
      );
      if (answer === undefined) return { compatible: true, reasons: [] };
      return { compatible: answer.is_compatible, reasons: answer.messages ?? (answer.reason ? [answer.reason] : []) };
    },

    async latest(subject) {
      const doing = `look up subject ${subject}`;
      const path = `/subjects/${encodeURIComponent(subject)}/versions/latest`;
      const found = await rest<unknown>('GET', path, { doing, absent: [404] });
      if (found === undefined) return undefined;
      const schema = await whole(rest, registeredIn(found, doing), doing);
      return { version: wholeNumberIn(found, 'version', doing), schema };
    },
  };
}

/**
 * Registers a schema and returns its id. If two processes register the same schema at the same moment, a registry may answer 409 to
 * one of them. Then the schema is registered, and a lookup finds it.
 */
async function register(rest: Rest, subject: string, schema: SchemaText): Promise<number> {
  const path = `/subjects/${encodeURIComponent(subject)}`;
  const body = await bodyOf(rest, schema);
  const doing = `register schema ${subject}`;
  const answer =
    (await rest<unknown>('POST', `${path}/versions`, { doing, absent: [409] }, body)) ??
    (await rest<unknown>('POST', path, { doing, absent: [404] }, body)) ??
    (await rest<unknown>('POST', `${path}/versions`, { doing }, body));
  return wholeNumberIn(answer, 'id', doing);
}

/** The JSON of a schema for the API. Referenced schemas are registered first, because a reference names a version. */
async function bodyOf(rest: Rest, { format, text, references }: SchemaText): Promise<Registered> {
  const versions: { name: string; subject: string; version: number }[] = [];
  for (const { name, subject, schema } of references) {
    await register(rest, subject, schema);
    const doing = `look up the version of ${subject}`;
    const body = await bodyOf(rest, schema);
    const found = await rest<unknown>('POST', `/subjects/${encodeURIComponent(subject)}`, { doing }, body);
    versions.push({ name, subject, version: wholeNumberIn(found, 'version', doing) });
  }
  return { schema: text, schemaType: typeNames[format], references: versions };
}

/** A schema of the API with the schemas that it refers to. */
async function whole(
  rest: Rest,
  registered: Registered,
  doing: string,
  met: { count: number } = { count: 0 },
): Promise<SchemaText> {
  const references: SchemaReference[] = [];
  for (const { name, subject, version } of registered.references ?? []) {
    met.count += 1;
    if (met.count > REFERENCES_MAX) {
      throw new MillraceError('schema', `cannot ${doing}: it refers to more than ${REFERENCES_MAX} others`, {
        where: subject,
        hint: 'check whether they refer to each other in a circle',
        permanent: true,
      });
    }
    const path = `/subjects/${encodeURIComponent(subject)}/versions/${version}`;
    const found = registeredIn(await rest<unknown>('GET', path, { doing }), doing);
    references.push({ name, subject, schema: await whole(rest, found, doing, met) });
  }
  return {
    format: formats.get(registered.schemaType ?? 'AVRO') ?? 'avro',
    text: registered.schema,
    references,
  };
}
