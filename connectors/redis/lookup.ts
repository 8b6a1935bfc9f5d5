import { lookupOf } from '../../src/connect/make.js';
import type { Lookup } from '../../src/core/lookup.js';
import { definition } from './definition.js';
import type { DecodeOption } from './kinds.js';

/** The fields of a hash, as Redis keeps them. */
export type HashFields = Readonly<Record<string, string>>;

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
  lookupOf(definition.kinds.hashLookup, options, decoding(options));

/**
 * Looks strings up by their Redis keys (`MGET`). A key that is not there, or of another type, is missing. The embedded store
 * keeps no strings: a Redis server answers on every profile.
 *
 * @example
 * lookup({ from: redis.stringLookup({ decode: Number }), key: (o) => `price:${o.sku}`, as: 'price' })
 */
export const stringLookup = <V = string>(options: RedisLookupOptions<string, V> = {}): Lookup<V> =>
  lookupOf(definition.kinds.stringLookup, options, decoding(options));

const decoding = ({ decode }: Partial<DecodeOption>): { readonly options: DecodeOption } => ({ options: { decode } });
