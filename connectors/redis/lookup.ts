import type { Lookup } from '../../src/core/lookup.js';
import * as is from '../../src/core/option-types.js';
import { type ConnectorKind, connectorKind, optional, problemsOf, settingsOf } from '../../src/core/options.js';

/** The fields of a hash, as Redis keeps them. */
export type HashFields = Readonly<Record<string, string>>;

const options = {
  decode: optional(
    is.callback<(found: never) => unknown>('(found) => unknown'),
    'Converts the stored value (default: unchanged). If it throws, the key is refused.',
  ),
};

export const hashesKind = connectorKind({
  kind: 'redis.hashLookup',
  role: 'lookup',
  doc: 'Looks up hashes by key.',
  options,
});

export const stringsKind = connectorKind({
  kind: 'redis.stringLookup',
  role: 'lookup',
  doc: 'Looks up strings by key.',
  options,
});

/** What a lookup of hashes, or of strings, makes of what it finds. */
export interface RedisLookupOptions<Found, V> {
  /** Makes the value; what it throws is said of the key, which then is refused. As it lies there by default. */
  readonly decode?: (found: Found) => V;
}

/**
 * Looks hashes up by their Redis keys (`HGETALL`, all keys of a question in one go). A key without a hash is missing; one of
 * another type is refused. On the embedded profile these are the hashes that `redis.hashSink` writes there.
 *
 * @example
 * lookup({ from: redis.hashLookup({ decode: ({ tier = 'none' }) => ({ tier }) }), key: (p) => `customer:${p.customerId}`, as: 'customer' })
 */
export const hashLookup = <V = HashFields>(options: RedisLookupOptions<HashFields, V> = {}): Lookup<V> =>
  lookupOf(hashesKind, options);

/**
 * Looks strings up by their Redis keys (`MGET`). A key that is not there, or of another type, is missing. The embedded store
 * keeps no strings: a Redis server answers on every profile.
 *
 * @example
 * lookup({ from: redis.stringLookup({ decode: Number }), key: (o) => `price:${o.sku}`, as: 'price' })
 */
export const stringLookup = <V = string>(options: RedisLookupOptions<string, V> = {}): Lookup<V> =>
  lookupOf(stringsKind, options);

const lookupOf = <Found, V>(kind: ConnectorKind, options: RedisLookupOptions<Found, V>): Lookup<V> =>
  Object.freeze({
    connector: 'redis',
    kind: kind.kind,
    settings: settingsOf(kind, options),
    problems: Object.freeze(problemsOf(kind, options)),
    options: Object.freeze({ decode: options.decode } satisfies DecodeOption as DecodeOption),
  });

/** As a driver sees it. */
export interface DecodeOption {
  readonly decode: ((found: never) => unknown) | undefined;
}
