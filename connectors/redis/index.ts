import type { ConnectorKind } from '../../src/core/options.js';
import { counter, counterKind, set, setKind, sortedSet, sortedSetKind } from './collections.js';
import { hash, hashKind, upserts, upsertsKind } from './hash.js';
import { hashes, hashesKind, strings, stringsKind } from './lookup.js';
import { publish, publishKind } from './publish.js';
import { entries, entriesKind } from './stream/entries.js';
import { stream, streamKind } from './stream/stream.js';
import { json, jsonKind, string, stringKind } from './values.js';

export type { RedisCounterOptions, RedisSetOptions, RedisSortedSetOptions } from './collections.js';
export type { RedisHashOptions, RedisUpsertsOptions } from './hash.js';
export type { HashFields, RedisLookUpOptions } from './lookup.js';
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
  hash,
  upserts,
  string,
  json,
  stream,
  sortedSet,
  set,
  counter,
  publish,
  entries,
  hashes,
  strings,
} as const;
