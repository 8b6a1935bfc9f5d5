import type { RestService } from '@confluentinc/schemaregistry/dist/rest-service.js';
import { MillraceError, messageOf } from '../../core/errors.js';
import { optionalPackage } from '../../util/optional-package.js';

export interface RestOptions {
  /** The root of the API: `http://host:8081`, or `http://host:8080/apis/ccompat/v7` for Apicurio. */
  readonly url: string;
  readonly auth?: { readonly username: string; readonly password: string } | { readonly token: string };
}

/** The purpose of a request, for its error. */
export interface Subject {
  readonly doing: string;
  /** Statuses that mean "not found": the result is `undefined`. */
  readonly absent?: readonly number[];
}

export type Rest = <T>(method: 'GET' | 'POST', path: string, about: Subject, body?: unknown) => Promise<T | undefined>;

const library = {
  name: '@confluentinc/schemaregistry',
  install: '@confluentinc/schemaregistry@1',
  neededBy: 'the schema registry',
  where: 'registry',
};

/** Statuses of permanent refusals: a retry gives the same. */
const REFUSALS: readonly number[] = [401, 403, 409, 422];

/**
 * Calls Confluent's REST API with Confluent's own client: two retries, ten seconds each. The client's errors hold the request with its
 * credentials, so only their text is used.
 *
 * @throws MillraceError `schema` without the credentials.
 */
export function restOf(options: RestOptions): Rest {
  let service: Promise<RestService> | undefined;
  return async <T>(method: 'GET' | 'POST', path: string, about: Subject, body?: unknown): Promise<T | undefined> => {
    service ??= connect(options);
    const client = await service;
    try {
      const { data } = await client.handleRequest<T>(path, method, body);
      return data;
    } catch (cause) {
      const status = statusOf(cause);
      if (status !== undefined && about.absent?.includes(status)) return undefined;
      throw refusal(about.doing, options.url, cause);
    }
  };
}

/** Loads only this part of the client: the root of the package loads the drivers of five key stores, a second and 100 MB. */
async function connect({ url, auth }: RestOptions): Promise<RestService> {
  const { RestService: Service } = await optionalPackage(
    library,
    () => import('@confluentinc/schemaregistry/dist/rest-service.js'),
  );
  const basic =
    auth !== undefined && 'username' in auth
      ? { credentialsSource: 'USER_INFO' as const, userInfo: `${auth.username}:${auth.password}` }
      : undefined;
  // The client's own option for tokens is for Confluent Cloud, and requires the name of a cluster.
  const headers = auth !== undefined && 'token' in auth ? { Authorization: `Bearer ${auth.token}` } : {};
  return new Service([url.replace(/\/+$/, '')], false, { timeout: 10_000, headers }, basic, undefined, 2, 100, 1_000);
}

const statusOf = (error: unknown): number | undefined =>
  error instanceof Error && 'status' in error && typeof error.status === 'number' ? error.status : undefined;

function refusal(doing: string, url: string, error: unknown): MillraceError {
  const status = statusOf(error);
  return new MillraceError('schema', `cannot ${doing}: ${messageOf(error)}`, {
    where: withoutCredentials(url),
    hint: hintFor(status),
    permanent: status !== undefined && REFUSALS.includes(status),
  });
}

function hintFor(status: number | undefined): string {
  if (status === undefined) return 'check that the registry is running, and its address';
  if (status === 401 || status === 403) return 'check the user and the password, or the token';
  if (status === 409) {
    return 'the subject has an incompatible version: add fields with defaults, or use a new subject';
  }
  if (status === 422)
    return 'the registry does not accept this schema: `millrace schema check FILE` shows why (Apicurio requires a $schema in JSON)';
  return `the registry answered with status ${status}`;
}

function withoutCredentials(url: string): string {
  if (!URL.canParse(url)) return 'the address of the registry, which is not a URL';
  const parsed = new URL(url);
  parsed.username = '';
  parsed.password = '';
  return parsed.href;
}
