import { messageOf } from './errors.js';
import type { KindDefinition, LookupKind } from './kind.js';
import type { Problem, Settings } from './options.js';
import { defineService } from './service.js';

declare const OUT: unique symbol;

/** A place where values are looked up by key, as inert data: what its connector says of it, and its options. */
export interface Lookup<out V> {
  readonly connector: string;
  readonly kind: string;
  /** As of a source. */
  readonly definition?: KindDefinition<LookupKind> | undefined;
  readonly settings: Settings;
  /** What is wrong with its options, for `check`; which step it is comes with the step. */
  readonly problems?: readonly Problem[] | undefined;
  readonly options: unknown;
  readonly [OUT]?: (() => V) | undefined;
}

/** What a store said of a key. */
export type LookupAnswer =
  | { readonly kind: 'found'; readonly value: unknown }
  | { readonly kind: 'missing' }
  /** It cannot answer for this key, and will say so at every try: a key of the wrong form, an answer that cannot be read. */
  | { readonly kind: 'refused'; readonly detail: string }
  /** It did not answer for this key this time. */
  | { readonly kind: 'failed'; readonly detail: string; readonly retryAfterMs?: number | undefined };

/** The answer for a key that a store does not have. */
export const MISSING: LookupAnswer = { kind: 'missing' };

/** Asks one store. A question may be asked again at any time, so it must have no effect. */
export interface LookupReader {
  /** Keys that fit into one question. */
  readonly keysMax: number;
  /**
   * One answer a key, in their order. It rejects where none of them could be answered: with a permanent error where no later
   * question can be either. Once the signal says so nobody waits for the answer: what it holds is let go.
   */
  ask(keys: readonly string[], signal: AbortSignal): Promise<readonly LookupAnswer[]>;
  /** Whether the store answers at all; once, without trying again. */
  ping(): Promise<void>;
  close(): Promise<void>;
}

/** Opens stores to look things up in. */
export interface LookupDriver {
  /** `limits.timeout`: nobody waits longer for a question, so a store need not go on with it. */
  open(lookup: Lookup<unknown>, step: string, limits?: Pick<LookupLimits, 'timeout'>): Promise<LookupReader>;
}

/** How a store is asked; what all tasks of a process share. */
export interface LookupLimits {
  /** Keys of one question. */
  readonly batchMax: number;
  /** How long a key may wait for others, in milliseconds. */
  readonly waitMax: number;
  /** Questions under way at the same time. */
  readonly concurrencyMax: number;
  /** Questions a second. */
  readonly perSecondMax: number | undefined;
  /** How long a question may take, in milliseconds. */
  readonly timeout: number;
  /** Tries of a question in all. */
  readonly attemptsMax: number;
  readonly cache: LookupCache | undefined;
}

export interface LookupCache {
  /** Keys remembered at most; those that were not asked for longest are forgotten first. */
  readonly entriesMax: number;
  /** How long a value is used after it was read, in milliseconds of processing time. */
  readonly ttl: number;
  /** The same for a key that was not there; such a key is asked for again each time by default. */
  readonly missingTtl?: number | undefined;
}

/** Looking things up for all tasks of a process: batches, a cache, and limits that hold for the whole process. */
export interface LookupService {
  /** The store of a step: opened by the step's first task, shared by all of them. */
  open(step: string, lookup: Lookup<unknown>, limits: LookupLimits): Promise<LookupHandle>;
}

/** Looks things up; every run has it. */
export const lookupService = defineService<LookupService>('lookups');

export interface LookupHandle {
  /** The answers for these keys, each given once. Calls `onProgress` whenever the store has said something meanwhile. */
  ask(keys: readonly string[], onProgress: () => void): Promise<LookupAnswers>;
  /** Asks for what waits, without waiting for company. */
  flush(): void;
  /** The store is down: nothing is read until it answers again. */
  report(error: unknown): void;
}

export interface LookupAnswers {
  readonly answers: ReadonlyMap<string, LookupAnswer>;
  /** How many of them were remembered. */
  readonly cached: number;
}

/**
 * Asks for the halves of what a store refuses as a whole, down to single keys: one bad key spoils no other's answer.
 *
 * @example
 * askHalves(keys, async (some) => (await accepts(some)) ? answersOf(some) : 'the store said 400');
 */
export async function askHalves(
  keys: readonly string[],
  ask: (keys: readonly string[]) => Promise<readonly LookupAnswer[] | string>,
): Promise<readonly LookupAnswer[]> {
  const answer = await ask(keys);
  if (typeof answer !== 'string') return answer;
  if (keys.length < 2) return keys.map(() => ({ kind: 'refused', detail: answer }));
  const middle = keys.length >> 1;
  const first = await askHalves(keys.slice(0, middle), ask);
  return [...first, ...(await askHalves(keys.slice(middle), ask))];
}

/**
 * What a store found, as the user's `decode` reads it: what that throws is said of the key alone.
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
