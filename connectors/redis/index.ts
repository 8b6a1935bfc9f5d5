import { counterSink, setSink, sortedSetSink } from './collections.js';
import { hashSink, upsertSink } from './hash.js';
import { hashLookup, stringLookup } from './lookup.js';
import { publishSink } from './publish.js';
import { streamSource } from './stream/entries.js';
import { streamSink } from './stream/stream.js';
import { jsonSink, stringSink } from './values.js';

export type { RedisCounterOptions, RedisSetOptions, RedisSortedSetOptions } from './collections.js';
export type { RedisHashOptions, RedisUpsertsOptions } from './hash.js';
export type { HashFields, RedisLookupOptions } from './lookup.js';
export type { RedisPublishOptions } from './publish.js';
export type { RedisEntriesOptions } from './stream/entries.js';
export type { RedisStreamOptions } from './stream/stream.js';
export type { RedisJsonOptions, RedisStringOptions } from './values.js';

/**
 * Structures of Redis as outputs of a topology, its streams as inputs, hashes and strings to look up: inert data, read by the profile
 * that runs it. Nothing here connects to anything, and no client library is loaded; `openRedis` in `./open.js` is where that happens.
 */
export const redis = {
  hashSink,
  upsertSink,
  stringSink,
  jsonSink,
  streamSink,
  sortedSetSink,
  setSink,
  counterSink,
  publishSink,
  streamSource,
  hashLookup,
  stringLookup,
} as const;
