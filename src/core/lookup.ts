import { messageOf } from './errors.js';
import type { KindDefinition, LookupKind } from './kind.js';
import type { Problem, Settings } from './options.js';
import { defineService } from './service.js';

declare const OUT: unique symbol;

/** A store that values are looked up in by key, as inert data: its definition and its options. */
export interface Lookup<out V> {
  readonly connector: string;
  readonly kind: string;
  /** As for a source. */
  readonly definition?: KindDefinition<LookupKind> | undefined;
  readonly settings: Settings;
  /** Mistakes in its options, for `check`, which adds the step. */
  readonly problems?: readonly Problem[] | undefined;
  readonly options: unknown;
  readonly [OUT]?: (() => V) | undefined;
}

/** The answer of a store for a key. */
export type LookupAnswer =
  | { readonly kind: 'found'; readonly value: unknown }
  | { readonly kind: 'missing' }
  /** The store refuses this key at every try: its form is wrong, or the answer cannot be read. */
  | { readonly kind: 'refused'; readonly detail: string }
  /** The store did not answer for this key this time. */
  | { readonly kind: 'failed'; readonly detail: string; readonly retryAfterMs?: number | undefined };

/** The answer for a key that a store does not have. */
export const MISSING: LookupAnswer = { kind: 'missing' };

/** Reads from one store. A request may be repeated at any time, so it must have no effect. */
export interface LookupReader {
  /** The most keys of one request. */
  readonly keysMax: number;
  /**
   * Resolves with one answer per key, in their order. Rejects if no key could be answered, with a permanent error if no later
   * request can succeed either. When the signal aborts nobody waits for the answer: release what the request holds.
   */
  get(keys: readonly string[], signal: AbortSignal): Promise<readonly LookupAnswer[]>;
  /** Checks once, without a retry, whether the store answers. */
  ping(): Promise<void>;
  close(): Promise<void>;
}

/** Opens stores to look values up in. */
export interface LookupDriver {
  /** `limits.timeout`: the runtime waits no longer for a request, so the store need not continue it. */
  open(lookup: Lookup<unknown>, step: string, limits?: Pick<LookupLimits, 'timeout'>): Promise<LookupReader>;
}

/** Limits of the requests to a store, shared by all tasks of a process. */
export interface LookupLimits {
  /** Keys per request. */
  readonly batchMax: number;
  /** How long a key may wait for a request to fill, in milliseconds. */
  readonly waitMax: number;
  /** Requests in flight at the same time. */
  readonly concurrencyMax: number;
  /** Requests per second. */
  readonly perSecondMax: number | undefined;
  /** How long a request may take, in milliseconds. */
  readonly timeout: number;
  /** Tries of a request in all. */
  readonly attemptsMax: number;
  readonly cache: LookupCache | undefined;
}

export interface LookupCache {
  /** The most keys that the cache holds; the least recently used are removed first. */
  readonly entriesMax: number;
  /** How long a value is used after it was read, in milliseconds of processing time. */
  readonly ttl: number;
  /** The same for a missing key; by default missing keys are not cached. */
  readonly missingTtl?: number | undefined;
}

/** Looks values up for all tasks of a process, with batches, a cache, and limits that hold for the whole process. */
export interface LookupService {
  /** Opens the store of a step for its first task; all tasks share it. */
  open(step: string, lookup: Lookup<unknown>, limits: LookupLimits): Promise<LookupHandle>;
}

/** Looks values up; every run provides it. */
export const lookupService = defineService<LookupService>('lookups');

export interface LookupHandle {
  /** The answers for these keys, each given once. Calls `onProgress` whenever the store has answered in between. */
  get(keys: readonly string[], onProgress: () => void): Promise<LookupAnswers>;
  /** Requests the waiting keys at once. */
  flush(): void;
  /** Reports that the store is down: nothing is read until it answers again. */
  report(error: unknown): void;
}

export interface LookupAnswers {
  readonly answers: ReadonlyMap<string, LookupAnswer>;
  /** How many of them came from the cache. */
  readonly cached: number;
}

/**
 * Splits keys that a store refuses together into halves, down to single keys, so that one bad key does not spoil the answers of
 * others.
 *
 * @example
 * getInHalves(keys, async (some) => (await accepts(some)) ? answersOf(some) : 'the store said 400');
 */
export async function getInHalves(
  keys: readonly string[],
  get: (keys: readonly string[]) => Promise<readonly LookupAnswer[] | string>,
): Promise<readonly LookupAnswer[]> {
  const answer = await get(keys);
  if (typeof answer !== 'string') return answer;
  if (keys.length < 2) return keys.map(() => ({ kind: 'refused', detail: answer }));
  const middle = keys.length >> 1;
  const first = await getInHalves(keys.slice(0, middle), get);
  return [...first, ...(await getInHalves(keys.slice(middle), get))];
}

/**
 * Decodes the value that a store returned by the user's `decode`. If that throws, only this key is refused.
 *
 * @example
 * rows.map((row) => readAnswer(() => decode(row)));
 */
export function readAnswer(read: () => unknown): LookupAnswer {
  try {
    const value = read();
    return value === undefined ? MISSING : { kind: 'found', value };
  } catch (error) {
    return { kind: 'refused', detail: `the value cannot be decoded: ${messageOf(error)}` };
  }
}
