import { counterSink, setSink, sortedSetSink } from './collections.js';
import { hashSink, metricsSink, upsertSink } from './hash.js';
import { hashLookup, stringLookup } from './lookup.js';
import { publishSink } from './publish.js';
import { streamSource } from './stream/entries.js';
import { streamSink } from './stream/stream.js';
import { jsonSink, stringSink } from './values.js';

export type { RedisCounterOptions, RedisSetOptions, RedisSortedSetOptions } from './collections.js';
export type { RedisHashOptions, RedisMetricsOptions, RedisUpsertsOptions } from './hash.js';
export type { HashFields, RedisLookupOptions } from './lookup.js';
export type { RedisPublishOptions } from './publish.js';
export type { RedisEntriesOptions } from './stream/entries.js';
export type { RedisStreamOptions } from './stream/stream.js';
export type { RedisJsonOptions, RedisStringOptions } from './values.js';

/**
 * Structures of Redis as outputs of a topology, its streams as inputs, its hashes and strings as lookups, as inert data. Nothing
 * here connects or loads a client library; `openRedis` in `./open.js` does.
 */
export const redis = {
  hashSink,
  upsertSink,
  metricsSink,
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
