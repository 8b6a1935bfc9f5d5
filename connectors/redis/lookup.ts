import { lookupOf } from '../../src/connect/make.js';
import type { Lookup } from '../../src/core/lookup.js';
import { definition } from './definition.js';
import type { DecodeOption } from './kinds.js';

/** The fields of a hash, as Redis stores them. */
export type HashFields = Readonly<Record<string, string>>;

/** Options of a lookup of hashes or strings. */
export interface RedisLookupOptions<Found, V> {
  /** Decodes the stored value (default: unchanged). If it throws, only this key is refused. */
  readonly decode?: (found: Found) => V;
}

/**
 * Looks up hashes by their Redis keys (`HGETALL`, all keys of a request in one pipeline). A key without a hash is missing; a key of
 * another type is refused. On the embedded profile it reads the hashes that `redis.hashSink` writes there.
 *
 * @example
 * lookup({ from: redis.hashLookup({ decode: ({ tier = 'none' }) => ({ tier }) }), key: (p) => `customer:${p.customerId}`, as: 'customer' })
 */
export const hashLookup = <V = HashFields>(options: RedisLookupOptions<HashFields, V> = {}): Lookup<V> =>
  lookupOf(definition.kinds.hashLookup, options, decoding(options));

/**
 * Looks up strings by their Redis keys (`MGET`). A key that does not exist or has another type is missing. The embedded store has
 * no strings, so every profile needs a Redis server.
 *
 * @example
 * lookup({ from: redis.stringLookup({ decode: Number }), key: (o) => `price:${o.sku}`, as: 'price' })
 */
export const stringLookup = <V = string>(options: RedisLookupOptions<string, V> = {}): Lookup<V> =>
  lookupOf(definition.kinds.stringLookup, options, decoding(options));

const decoding = ({ decode }: Partial<DecodeOption>): { readonly options: DecodeOption } => ({ options: { decode } });
