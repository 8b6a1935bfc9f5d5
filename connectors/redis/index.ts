import type { ConnectorKind } from '../../src/core/options.js';
import { counterKind, counterSink, setKind, setSink, sortedSetKind, sortedSetSink } from './collections.js';
import { hashKind, hashSink, upsertSink, upsertsKind } from './hash.js';
import { hashesKind, hashLookup, stringLookup, stringsKind } from './lookup.js';
import { publishKind, publishSink } from './publish.js';
import { entriesKind, streamSource } from './stream/entries.js';
import { streamKind, streamSink } from './stream/stream.js';
import { jsonKind, jsonSink, stringKind, stringSink } from './values.js';

export type { RedisCounterOptions, RedisSetOptions, RedisSortedSetOptions } from './collections.js';
export type { RedisHashOptions, RedisUpsertsOptions } from './hash.js';
export type { HashFields, RedisLookupOptions } from './lookup.js';
export type { RedisPublishOptions } from './publish.js';
export type { RedisEntriesOptions } from './stream/entries.js';
export type { RedisStreamOptions } from './stream/stream.js';
export type { RedisJsonOptions, RedisStringOptions } from './values.js';

/** What `redis` has, as data. */
export const kinds: readonly ConnectorKind[] = [
  hashKind,
  upsertsKind,
  stringKind,
  jsonKind,
  streamKind,
  sortedSetKind,
  setKind,
  counterKind,
  publishKind,
  entriesKind,
  hashesKind,
  stringsKind,
];

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
