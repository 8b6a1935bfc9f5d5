import type { Lookup } from '../../src/core/look-up.js';
import type { ConnectorKind } from '../../src/core/options.js';
import { ingest } from './ingest.js';
import { poll } from './poll.js';
import { publicPartOf } from './public-part.js';
import { webhook, webhookKind } from './webhook.js';

export type { IngestOptions } from './ingest.js';
export type { PollOptions } from './poll.js';
export { publicPartOf } from './public-part.js';
export type { WebhookOptions } from './webhook.js';

export interface HttpCommon<V> {
  /**
   * Headers of each request, asked for each time: for tokens that are renewed. They are in no description, message or log.
   */
  readonly headers?: () => Readonly<Record<string, string>>;
  /** Makes the value of what was found, parsed as JSON; what it throws is said of the key, which then is refused. */
  readonly decode?: (found: never) => V;
  /** The longest answer, in bytes; 1 MiB by default, 16 MiB for `post`. */
  readonly bytesMax?: number;
}

export interface HttpGetOptions<V> extends HttpCommon<V> {
  /** The address of a key, with `{key}` in its place: it is escaped there. */
  readonly url: string;
}

export interface HttpPostOptions<V> extends HttpCommon<V> {
  readonly url: string;
  /** Keys of one request; the step's `batchMax` by default. */
  readonly keysMax?: number;
  /** What is sent, as JSON; `{ keys: [...] }` by default. */
  readonly body?: (keys: readonly string[]) => unknown;
  /** The part of an answer that is about a key, `undefined` where there is none; its property of that name by default. */
  readonly pick?: (answer: never, key: string) => unknown;
}

/** As the driver sees it. */
export interface HttpLookUp {
  readonly url: string;
  readonly headers: (() => Readonly<Record<string, string>>) | undefined;
  readonly decode: ((found: unknown) => unknown) | undefined;
  readonly bytesMax: number;
  /** Only where several keys go into one request. */
  readonly batch:
    | {
        readonly keysMax: number;
        readonly body: (keys: readonly string[]) => unknown;
        readonly pick: (answer: unknown, key: string) => unknown;
      }
    | undefined;
}

/** What `http` has, as data. */
export const kinds: readonly ConnectorKind[] = [webhookKind];

const MEBIBYTE = 2 ** 20;

/**
 * Services to look things up in: inert data, read by the profile that runs the topology; the same on every profile.
 *
 * Of what a service says: 2xx is an answer, 404 and 410 (of a `get`), and 204, that there is none. 408, 425, 429 and 5xx are tried again,
 * after `Retry-After` where it is given. 401 and 403 stop the run, as 404 and 405 of a `post` do. Everything else, redirects and
 * answers that cannot be read included, is a refusal of the key; of a `post` of several keys, its halves are asked for.
 *
 * @throws MillraceError `config` for an address that is no URL, or that holds a user.
 */
export const http = {
  /**
   * One request a key.
   *
   * @example
   * lookUp({ from: http.get<Customer>({ url: 'https://crm.example/customers/{key}' }), key: (p) => p.customerId, as: 'customer' })
   */
  get<V = unknown>({ url, headers, decode, bytesMax = MEBIBYTE }: HttpGetOptions<V>): Lookup<V> {
    return lookUpOf('http.get', { url, headers, decode: decode as HttpLookUp['decode'], bytesMax, batch: undefined });
  },

  /**
   * One request for several keys. It must have no effect, since it may come again.
   *
   * @example
   * lookUp({ from: http.post<Score>({ url: 'https://scores.example/batch' }), key: (p) => p.customerId, as: 'score' })
   */
  post<V = unknown>(options: HttpPostOptions<V>): Lookup<V> {
    const { url, headers, decode, bytesMax = 16 * MEBIBYTE } = options;
    const { keysMax = Number.MAX_SAFE_INTEGER, body = (keys) => ({ keys }), pick = propertyOf } = options;
    const batch = { keysMax, body, pick: pick as (answer: unknown, key: string) => unknown };
    return lookUpOf('http.post', { url, headers, decode: decode as HttpLookUp['decode'], bytesMax, batch });
  },

  poll,
  ingest,
  webhook,
} as const;

const lookUpOf = <V>(kind: string, options: HttpLookUp): Lookup<V> =>
  Object.freeze({
    connector: 'http',
    kind,
    settings: Object.freeze({ url: publicPartOf(options.url) }),
    options: Object.freeze(options),
  });

const propertyOf = (answer: unknown, key: string): unknown =>
  typeof answer === 'object' && answer !== null && Object.hasOwn(answer, key)
    ? (answer as Readonly<Record<string, unknown>>)[key]
    : undefined;
