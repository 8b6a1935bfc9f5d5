import {
  type Adds,
  type BatchedLogic,
  type Duration,
  type Free,
  formatDuration,
  type Lookup,
  type LookupAnswer,
  type LookupHandle,
  type LookupLimits,
  lookupService,
  MISSING,
  MillraceError,
  makeOfEach,
  type Operator,
  type Problem,
  RowFailure,
  type Settings,
  type StepContext,
} from '../../core/index.js';
import { comparableText } from '../../util/json-text.js';
import { withField } from '../../util/literals.js';
import { optionProblems, requireOptions } from '../options.js';

/** What becomes of a record whose key is not in the store. */
export type OnMissing<M> = 'dead-letter' | 'fail' | { readonly use: M };

/** What becomes of a record whose key could not be looked up. `wait`: the store is down, and everything waits until it answers. */
export type OnFailure<F> = 'wait' | 'dead-letter' | 'fail' | { readonly use: F };

/** Where `lookup` asks, by which key, in which batches, and what becomes of a record without an answer. */
export interface LookupOptions<In, V, As extends string, M, F> {
  /** The store: `redis.hashLookup()`, `redis.stringLookup()`, `clickhouse.tableLookup()`, `postgres.tableLookup()`, `http.getLookup()`, `http.postLookup()`. */
  readonly from: Lookup<V>;
  /** The key to look up; a record without a key is handled by `onMissing`. */
  readonly key: (value: In) => string | number | null | undefined;
  /** The field that is added. */
  readonly as: As;
  /** Keys per request (default: 100), and never more than the store accepts. */
  readonly batchMax?: number;
  /** How long a key waits for others to fill a batch (default: 5 ms). */
  readonly waitMax?: Duration;
  /** Requests in flight, over all tasks of a process (default: 4). */
  readonly concurrencyMax?: number;
  /** Requests per second, over all tasks of a process (default: no limit). */
  readonly perSecondMax?: number;
  /** Timeout of a request (default: 2 s). It must be below the setting `stallSeconds`, or the task counts as hung. */
  readonly timeout?: Duration;
  /** Attempts of a request, with growing pauses (default: 4). */
  readonly attemptsMax?: number;
  /** Caches values (default: no cache). */
  readonly cache?: {
    /** Maximum number of cached keys; the least recently used key is evicted first. */
    readonly entriesMax: number;
    /** How long a cached value is used, in processing time. */
    readonly ttl: Duration;
    /** The same for a missing key (default: missing keys are not cached). */
    readonly missingTtl?: Duration;
  };
  /** `dead-letter` by default. */
  readonly onMissing?: OnMissing<M>;
  /** `wait` by default. */
  readonly onFailure?: OnFailure<F>;
}

/**
 * Adds to each record the value of its key in an external store. Requests are batched over all tasks of the process.
 *
 * A key is requested once per batch, however many records have it, and not again while a request for it is in flight. Values can be
 * cached (`cache`). A failed request is retried with growing pauses, or after the time that the store names.
 *
 * Guarantees: records keep their order. The answer depends on the time of the request, so a replay may get another one. Therefore sinks
 * outside of the ledger's transaction are written only after the checkpoint that stores the answers.
 *
 * Failures: with `onFailure: 'wait'` the task waits for a store that does not answer, without a time limit, and reads nothing meanwhile.
 * With `use` or `dead-letter` records pass; after five failed requests in a row the circuit breaker stops requests for a while. A key that
 * the store refuses is not an outage: it is handled by `onFailure`, and with `wait` it goes to the dead letters.
 *
 * Counters: `cached`, `missing`, `failed`, `fallback` (records that got a value of `use`). Dead letters: `not-found`,
 * `lookup-failed`. Errors: `MillraceError('lookup')` while the store is down, permanent if it refuses the user; `step` with `fail`.
 *
 * Memory: the keys in flight and `cache.entriesMax` values, once per process.
 *
 * @example
 * payments.via('customer', lookup({
 *   from: redis.hashLookup<Customer>({ decode: ({ tier, since }) => ({ tier, since: Number(since) }) }),
 *   key: (p) => `customer:${p.customerId}`,
 *   as: 'customer',
 *   cache: { entriesMax: 100_000, ttl: minutes(5), missingTtl: seconds(10) },
 *   onMissing: { use: null },
 * }));
 */
export function lookup<In, V, const As extends string, M = never, F = never>(
  options: LookupOptions<In, V, As, M, F>,
): Operator<In & Free<As>, Adds<{ readonly [K in As]: V | M | F }>> {
  requireOptions('lookup', options);
  const { from, as } = options;
  const limits = limitsOf(options);
  return {
    kind: 'lookup',
    settings: settingsOf(options, limits),
    problems: [...optionProblems('lookup', options), ...problemsOf(options, limits)],
    shape: {
      shape: 'batched',
      lookup: from,
      nondeterministic: true,
      async open(context, services) {
        const handle = await services.get(lookupService).open(context.step, from, limits);
        const key = options.key as (value: unknown) => string | number | null | undefined;
        const { onMissing = 'dead-letter', onFailure = 'wait' } = options;
        return enricher({ handle, context, progress: services.progress, key, as, onMissing, onFailure });
      },
    },
  };
}

interface Enricher {
  readonly handle: LookupHandle;
  readonly context: StepContext;
  readonly progress: () => void;
  readonly key: (value: unknown) => string | number | null | undefined;
  readonly as: string;
  readonly onMissing: OnMissing<unknown>;
  readonly onFailure: OnFailure<unknown>;
}

function enricher(parts: Enricher): BatchedLogic {
  const { handle, context, progress, key, as } = parts;
  const [cachedOnes, missing, failed] = [
    context.counter('cached'),
    context.counter('missing'),
    context.counter('failed'),
  ];

  const answerTo = (value: unknown, name: string | undefined, answer: LookupAnswer): unknown => {
    switch (answer.kind) {
      case 'found':
        return withField(value, as, answer.value);
      case 'missing':
        missing.add();
        return otherwise(parts, value, parts.onMissing, 'not-found', `there is nothing of ${inWords(name)}`);
      case 'refused':
        failed.add();
        return otherwise(
          parts,
          value,
          parts.onFailure === 'wait' ? 'dead-letter' : parts.onFailure,
          'lookup-failed',
          `${inWords(name)} was refused: ${answer.detail}`,
        );
      case 'failed':
        failed.add();
        if (parts.onFailure === 'wait') throw storeIsDown(parts, answer.detail);
        return otherwise(parts, value, parts.onFailure, 'lookup-failed', `${inWords(name)}: ${answer.detail}`);
    }
  };

  return {
    async onBatch(values, origins) {
      const names = makeOfEach(context.step, values, origins, (value) => textOf(key(value)));
      const asked = [...new Set(names)].filter((name) => name !== undefined);
      const { answers, cached } = await handle.get(asked, progress);
      cachedOnes.add(cached);
      return values.map((value, i) => {
        const name = names[i];
        return answerTo(value, name, (name === undefined ? undefined : answers.get(name)) ?? MISSING);
      });
    },
    flush: () => handle.flush(),
  };
}

function otherwise(
  { context, as }: Enricher,
  value: unknown,
  how: Exclude<OnFailure<unknown>, 'wait'>,
  reason: string,
  detail: string,
): unknown {
  if (how === 'dead-letter') return new RowFailure(reason, detail);
  if (how === 'fail') return context.fail(`'${as}' cannot be added: ${detail}`);
  context.counter('fallback').add();
  return withField(value, as, how.use);
}

function storeIsDown({ handle, context }: Enricher, detail: string): MillraceError {
  const error = new MillraceError('lookup', `the store does not answer: ${detail}`, {
    where: context.step,
    hint: 'records wait for it; with onFailure the step continues without it',
  });
  handle.report(error);
  return error;
}

/** An empty key is none. */
const textOf = (key: string | number | null | undefined): string | undefined =>
  key === null || key === undefined || key === '' ? undefined : String(key);

const inWords = (key: string | undefined): string =>
  key === undefined ? 'a record without a key' : `key '${key.length > 100 ? `${key.slice(0, 100)}...` : key}'`;

function limitsOf(options: LookupOptions<never, unknown, string, unknown, unknown>): LookupLimits {
  const { batchMax = 100, waitMax = 5, concurrencyMax = 4, perSecondMax } = options;
  const { timeout = 2_000, attemptsMax = 4, cache } = options;
  return { batchMax, waitMax, concurrencyMax, perSecondMax, timeout, attemptsMax, cache };
}

function settingsOf(
  { from, as, cache, onMissing, onFailure }: LookupOptions<never, unknown, string, unknown, unknown>,
  { batchMax, waitMax, concurrencyMax, perSecondMax, timeout, attemptsMax }: LookupLimits,
): Settings {
  const duration = (ms: number) => formatDuration(ms as Duration);
  return {
    from: from.kind,
    ...from.settings,
    as,
    batchMax,
    waitMax: duration(waitMax),
    concurrencyMax,
    ...(perSecondMax === undefined ? {} : { perSecondMax }),
    timeout: duration(timeout),
    attemptsMax,
    ...(cache ? { cacheMax: cache.entriesMax, ttl: duration(cache.ttl) } : {}),
    ...(cache?.missingTtl === undefined ? {} : { missingTtl: duration(cache.missingTtl) }),
    onMissing: wayOf(onMissing ?? 'dead-letter'),
    onFailure: wayOf(onFailure ?? 'wait'),
  };
}

const wayOf = (way: OnFailure<unknown>): string => (typeof way === 'string' ? way : `use ${comparableText(way.use)}`);

function problemsOf(
  { from, cache }: LookupOptions<never, unknown, string, unknown, unknown>,
  { batchMax, waitMax, concurrencyMax, perSecondMax, timeout, attemptsMax }: LookupLimits,
): readonly Problem[] {
  const whole = { batchMax, concurrencyMax, attemptsMax, ...(cache ? { 'cache.entriesMax': cache.entriesMax } : {}) };
  const positive = {
    timeout,
    ...(perSecondMax === undefined ? {} : { perSecondMax }),
    ...(cache ? { 'cache.ttl': cache.ttl } : {}),
  };
  const least0 = { waitMax, ...(cache?.missingTtl === undefined ? {} : { 'cache.missingTtl': cache.missingTtl }) };
  return [
    ...(from.problems ?? []).map(({ message, hint }) => ({ message: `${from.kind}: ${message}`, hint })),
    ...Object.entries(whole)
      .filter(([, value]) => !Number.isSafeInteger(value) || value < 1)
      .map(([name, value]) => ({ message: `${name} is ${value}`, hint: 'give a whole number from 1' })),
    ...Object.entries(positive)
      .filter(([, value]) => !(value > 0))
      .map(([name, value]) => ({ message: `${name} is ${value}`, hint: 'give more than 0' })),
    ...Object.entries(least0)
      .filter(([, value]) => !(value >= 0))
      .map(([name, value]) => ({ message: `${name} is ${value}`, hint: 'give a duration, e.g. millis(5)' })),
  ];
}
