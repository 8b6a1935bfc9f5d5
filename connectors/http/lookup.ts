import type { Lookup } from '../../src/core/lookup.js';
import * as is from '../../src/core/option-types.js';
import {
  type ConnectorKind,
  connectorKind,
  defaulted,
  type OptionsOf,
  optional,
  problemsOf,
  required,
  resolve,
  settingsOf,
} from '../../src/core/options.js';
import { publicPartOf } from './public-part.js';

const MEBIBYTE = 2 ** 20;

/** Shown with the place of the key as it was written. */
const urlOfKey = is.custom<string>(
  'URL of http or https, without a user, with `{key}` in it',
  (value) => is.url.accepts(value) && (value as string).includes('{key}'),
  publicPartOf,
);

const asking = {
  headers: optional(
    is.callback<() => Readonly<Record<string, string>>>('() => headers'),
    'Headers of each request; called for each request, so tokens may change. They appear in no description, message or log.',
  ),
  decode: optional(
    is.callback<(found: never) => unknown>('(found) => unknown'),
    'Converts the parsed JSON to the value. If it throws, the key is refused.',
  ),
} as const;

export const getKind = connectorKind({
  kind: 'http.getLookup',
  role: 'lookup',
  doc: 'Looks up keys at a service, with one request per key.',
  options: {
    url: required(urlOfKey, 'URL of a key, with the placeholder `{key}`, which is escaped.'),
    ...asking,
    bytesMax: defaulted(is.integer(1), MEBIBYTE, 'Maximum size of a response in bytes.'),
  },
});

export const postKind = connectorKind({
  kind: 'http.postLookup',
  role: 'lookup',
  doc: 'Looks up several keys with one request to a service; the request must have no side effect.',
  options: {
    url: required(is.url, 'URL of the service.'),
    ...asking,
    bytesMax: defaulted(is.integer(1), 16 * MEBIBYTE, 'Maximum size of a response in bytes.'),
    keysMax: optional(is.integer(1), 'Maximum number of keys per request (default: `batchMax` of the step).'),
    body: optional(
      is.callback<(keys: readonly string[]) => unknown>('(keys) => unknown'),
      'The JSON body (default: `{ keys: [...] }`).',
    ),
    pick: optional(
      is.callback<(answer: never, key: string) => unknown>('(answer, key) => unknown'),
      'The value of a key in a response, or `undefined` (default: the property with the name of the key).',
    ),
  },
});

/** Options of `http.getLookup`. */
export interface HttpGetOptions<V> extends Omit<OptionsOf<typeof getKind.options>, 'decode'> {
  readonly decode?: (found: never) => V;
}

/** Options of `http.postLookup`. */
export interface HttpPostOptions<V> extends Omit<OptionsOf<typeof postKind.options>, 'decode'> {
  readonly decode?: (found: never) => V;
}

/** As the driver sees it. */
export interface HttpLookup {
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

/**
 * One request a key.
 *
 * @example
 * lookup({ from: http.getLookup<Customer>({ url: 'https://crm.example/customers/{key}' }), key: (p) => p.customerId, as: 'customer' })
 */
export function getLookup<V = unknown>(options: HttpGetOptions<V>): Lookup<V> {
  return lookupOf(getKind, options, resolve(getKind, options), undefined);
}

/**
 * One request for several keys. It must have no effect, since it may come again.
 *
 * @example
 * lookup({ from: http.postLookup<Score>({ url: 'https://scores.example/batch' }), key: (p) => p.customerId, as: 'score' })
 */
export function postLookup<V = unknown>(options: HttpPostOptions<V>): Lookup<V> {
  const resolved = resolve(postKind, options);
  const { keysMax = Number.MAX_SAFE_INTEGER, body = (keys) => ({ keys }), pick = propertyOf } = resolved;
  return lookupOf(postKind, options, resolved, {
    keysMax,
    body,
    pick: pick as (answer: unknown, key: string) => unknown,
  });
}

type Asked = Pick<HttpLookup, 'url' | 'bytesMax'> & {
  readonly headers: HttpLookup['headers'] | undefined;
  readonly decode: ((found: never) => unknown) | undefined;
};

function lookupOf<V>(kind: ConnectorKind, options: object, asked: Asked, batch: HttpLookup['batch']): Lookup<V> {
  const { url, headers, decode, bytesMax } = asked;
  const driven: HttpLookup = { url, headers, decode: decode as HttpLookup['decode'], bytesMax, batch };
  return Object.freeze({
    connector: 'http',
    kind: kind.kind,
    settings: settingsOf(kind, options),
    problems: Object.freeze(problemsOf(kind, options)),
    options: Object.freeze(driven),
  });
}

const propertyOf = (answer: unknown, key: string): unknown =>
  typeof answer === 'object' && answer !== null && Object.hasOwn(answer, key)
    ? (answer as Readonly<Record<string, unknown>>)[key]
    : undefined;
