import type { SchemaRegistryClient } from '@confluentinc/schemaregistry/dist/schemaregistry-client.js';
import { MillraceError, messageOf } from '../core/errors.js';
import type { SchemaRegistry } from '../core/schema.js';

export interface ConfluentRegistryOptions {
  /** Of the API's root: `http://host:8081`, or `http://host:8080/apis/ccompat/v7` for Apicurio. */
  readonly url: string;
  readonly auth?: { readonly username: string; readonly password: string } | { readonly token: string };
}

/**
 * A registry that speaks Confluent's REST API (Confluent, Apicurio, Karapace), through Confluent's own client.
 *
 * Known answers are cached for good, since ids never change their meaning. A lookup of an id that the server denies is
 * `undefined`; a server that cannot be reached or refuses is `MillraceError('schema')`, after two retries.
 *
 * @example
 * const registry = confluentRegistry({ url: 'http://127.0.0.1:8081' });
 * await registry.idOf('clicks-value', '{"type":"record",...}'); // 17
 */
export function confluentRegistry(options: ConfluentRegistryOptions): SchemaRegistry {
  const ids = new Map<string, number>();
  const definitions = new Map<number, string>();
  let client: Promise<SchemaRegistryClient> | undefined;
  const connected = (): Promise<SchemaRegistryClient> => {
    client ??= connect(options);
    return client;
  };

  return {
    async idOf(subject, definition) {
      const key = JSON.stringify([subject, definition]);
      const known = ids.get(key);
      if (known !== undefined) return known;
      try {
        const id = await (await connected()).register(subject, { schema: definition, schemaType: 'AVRO' });
        ids.set(key, id);
        return id;
      } catch (cause) {
        throw refusal(`cannot register schema ${subject}`, options.url, cause);
      }
    },

    async definitionOf(id) {
      const known = definitions.get(id);
      if (known !== undefined) return known;
      try {
        const { schema } = await (await connected()).getBySubjectAndId('', id);
        definitions.set(id, schema);
        return schema;
      } catch (cause) {
        if (statusOf(cause) === 404) return undefined;
        throw refusal(`cannot look up schema ${id}`, options.url, cause);
      }
    },
  };
}

/** The client alone: the package's root would load the drivers of five key stores, a second and 100 MB. */
async function connect({ url, auth }: ConfluentRegistryOptions): Promise<SchemaRegistryClient> {
  const { SchemaRegistryClient: Client } = await import('@confluentinc/schemaregistry/dist/schemaregistry-client.js');
  const credentials =
    auth === undefined
      ? {}
      : 'token' in auth
        ? { bearerAuthCredentials: { credentialsSource: 'STATIC_TOKEN' as const, token: auth.token } }
        : {
            basicAuthCredentials: {
              credentialsSource: 'USER_INFO' as const,
              userInfo: `${auth.username}:${auth.password}`,
            },
          };
  return new Client({
    baseURLs: [url.replace(/\/+$/, '')],
    maxRetries: 2,
    retriesWaitMs: 100,
    retriesMaxWaitMs: 1_000,
    createAxiosDefaults: { timeout: 10_000 },
    ...credentials,
  });
}

const statusOf = (error: unknown): number | undefined =>
  error instanceof Error && 'status' in error && typeof error.status === 'number' ? error.status : undefined;

/** The client's error holds the request with its credentials, so only its words are passed on. */
function refusal(message: string, url: string, error: unknown): MillraceError {
  const status = statusOf(error);
  return new MillraceError('schema', `${message}: ${messageOf(error)}`, {
    where: withoutCredentials(url),
    hint: hintFor(status),
  });
}

function hintFor(status: number | undefined): string {
  if (status === undefined) return 'is the registry running, and is its address right?';
  if (status === 401 || status === 403) return 'check the user and the password, or the token';
  if (status === 409)
    return 'the subject holds an incompatible version: add fields with defaults, or take a new subject';
  return `the registry answered with status ${status}`;
}

function withoutCredentials(url: string): string {
  if (!URL.canParse(url)) return url;
  const parsed = new URL(url);
  parsed.username = '';
  parsed.password = '';
  return parsed.href;
}
