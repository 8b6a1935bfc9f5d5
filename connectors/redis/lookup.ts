import type { Lookup } from '../../src/core/lookup.js';
import * as is from '../../src/core/option-types.js';
import { type ConnectorKind, connectorKind, optional, problemsOf, settingsOf } from '../../src/core/options.js';

/** The fields of a hash, as Redis keeps them. */
export type HashFields = Readonly<Record<string, string>>;

const options = {
  decode: optional(
    is.callback<(found: never) => unknown>('(found) => unknown'),
    'Makes the value; what it throws is said of the key, which then is refused. As it lies there where this is left out.',
  ),
};

export const hashesKind = connectorKind({
  kind: 'redis.hashes',
  role: 'look-up',
  doc: 'Looks hashes up by their keys.',
  options,
});

export const stringsKind = connectorKind({
  kind: 'redis.strings',
  role: 'look-up',
  doc: 'Looks strings up by their keys.',
  options,
});

/** What a look-up of hashes, or of strings, makes of what it finds. */
export interface RedisLookUpOptions<Found, V> {
  /** Makes the value; what it throws is said of the key, which then is refused. As it lies there by default. */
  readonly decode?: (found: Found) => V;
}

/**
 * Looks hashes up by their Redis keys (`HGETALL`, all keys of a question in one go). A key without a hash is missing; one of
 * another type is refused. On the embedded profile these are the hashes that `redis.hash` writes there.
 *
 * @example
 * lookUp({ from: redis.hashes({ decode: ({ tier = 'none' }) => ({ tier }) }), key: (p) => `customer:${p.customerId}`, as: 'customer' })
 */
export const hashes = <V = HashFields>(options: RedisLookUpOptions<HashFields, V> = {}): Lookup<V> =>
  lookUpOf(hashesKind, options);

/**
 * Looks strings up by their Redis keys (`MGET`). A key that is not there, or of another type, is missing. The embedded store
 * keeps no strings: a Redis server answers on every profile.
 *
 * @example
 * lookUp({ from: redis.strings({ decode: Number }), key: (o) => `price:${o.sku}`, as: 'price' })
 */
export const strings = <V = string>(options: RedisLookUpOptions<string, V> = {}): Lookup<V> =>
  lookUpOf(stringsKind, options);

const lookUpOf = <Found, V>(kind: ConnectorKind, options: RedisLookUpOptions<Found, V>): Lookup<V> =>
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
