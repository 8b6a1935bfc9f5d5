import { lookupOf } from '../../src/connect/make.js';
import type { Lookup } from '../../src/core/lookup.js';
import { type OptionsOf, resolve } from '../../src/core/options.js';
import { definition } from './definition.js';
import type { HttpLookup } from './kinds.js';
import { getKind, postKind } from './kinds.js';

/** Options of `http.getLookup`. */
export interface HttpGetOptions<V> extends Omit<OptionsOf<typeof getKind.options>, 'decode'> {
  readonly decode?: (found: never) => V;
}

/** Options of `http.postLookup`. */
export interface HttpPostOptions<V> extends Omit<OptionsOf<typeof postKind.options>, 'decode'> {
  readonly decode?: (found: never) => V;
}

/**
 * Looks up keys by GET, one request per key.
 *
 * @example
 * lookup({ from: http.getLookup<Customer>({ url: 'https://crm.example/customers/{key}' }), key: (p) => p.customerId, as: 'customer' })
 */
export function getLookup<V = unknown>(options: HttpGetOptions<V>): Lookup<V> {
  return lookupOf(definition.kinds.getLookup, options, drivenBy(resolve(getKind, options), undefined));
}

/**
 * Looks up several keys by one POST. The request must have no effect, since it may be repeated.
 *
 * @example
 * lookup({ from: http.postLookup<Score>({ url: 'https://scores.example/batch' }), key: (p) => p.customerId, as: 'score' })
 */
export function postLookup<V = unknown>(options: HttpPostOptions<V>): Lookup<V> {
  const resolved = resolve(postKind, options);
  const { keysMax = Number.MAX_SAFE_INTEGER, body = (keys) => ({ keys }), pick = propertyOf } = resolved;
  const batch = { keysMax, body, pick: pick as (answer: unknown, key: string) => unknown };
  return lookupOf(definition.kinds.postLookup, options, drivenBy(resolved, batch));
}

type Asked = Pick<HttpLookup, 'url' | 'bytesMax'> & {
  readonly headers: HttpLookup['headers'] | undefined;
  readonly decode: ((found: never) => unknown) | undefined;
};

const drivenBy = ({ url, headers, decode, bytesMax }: Asked, batch: HttpLookup['batch']): { options: HttpLookup } => ({
  options: { url, headers, decode: decode as HttpLookup['decode'], bytesMax, batch },
});

const propertyOf = (answer: unknown, key: string): unknown =>
  typeof answer === 'object' && answer !== null && Object.hasOwn(answer, key)
    ? (answer as Readonly<Record<string, unknown>>)[key]
    : undefined;
