import {
  type LookupAnswer,
  type LookupAnswers,
  type LookupLimits,
  type LookupReader,
  MillraceError,
  messageOf,
} from '../../core/index.js';
import { CircuitBreaker } from '../../util/circuit-breaker.js';
import { backOffMs, requestBackOff } from '../../util/retry.js';
import { type Clock, type Pace, paceOf } from '../clock.js';
import { TtlLruCache } from './ttl-lru-cache.js';

/** A key without an answer yet, and its waiting callers. */
interface Wanted {
  readonly answer: Promise<LookupAnswer>;
  settle(answer: LookupAnswer): void;
  reject(error: unknown): void;
}

/**
 * Failed requests in a row before requests pause, so that records with a fallback do not wait for the timeouts of a failed store.
 */
const FAILURES_MAX = 5;
/** The longest pause that a store may request. */
const RETRY_AFTER_MAX_MS = 30_000;

/**
 * Reads from one store for all tasks of a process. It batches keys into requests, requests a key once for all its callers, and
 * caches answers. Requests in flight, requests per second and tries are limited.
 *
 * A key waits at most `waitMax` for others; then it is due and goes with the next request that may be sent.
 *
 * Memory: the keys that callers wait for, and the cached answers.
 */
export class BatchLoader {
  /** In order of arrival. */
  private readonly waiting = new Map<string, Wanted>();
  private readonly asked = new Map<string, Wanted>();
  private readonly remembered: TtlLruCache | undefined;
  private readonly breaker: CircuitBreaker;
  private readonly pace: Pace;
  private readonly closed = new AbortController();
  private underWay = 0;
  /** The number of keys at the front of `waiting` that are due. */
  private due = 0;
  private timing = false;
  private readonly listeners = new Set<() => void>();
  private readonly trying = new Set<AbortController>();

  constructor(
    private readonly reader: LookupReader,
    private readonly limits: LookupLimits,
    private readonly clock: Clock,
    private readonly random: () => number,
  ) {
    const { cache, perSecondMax = Number.POSITIVE_INFINITY } = limits;
    this.remembered = cache && new TtlLruCache(cache, () => clock.now());
    this.breaker = new CircuitBreaker({ failuresMax: FAILURES_MAX, now: () => clock.now(), random });
    this.pace = paceOf(perSecondMax, clock);
  }

  /** @throws the reader's error if it is permanent. */
  async load(keys: readonly string[], onProgress: () => void): Promise<LookupAnswers> {
    const answers = new Map<string, LookupAnswer>();
    const wanted: (readonly [string, Wanted])[] = [];
    for (const key of keys) {
      const known = this.remembered?.get(key);
      if (known) answers.set(key, known);
      else wanted.push([key, this.want(key)]);
    }
    this.dispatch();
    const cached = answers.size;
    const listener = () => onProgress(); // a new function: concurrent chunks of a task register the same callback
    this.listeners.add(listener);
    try {
      await Promise.all(wanted.map(async ([key, { answer }]) => answers.set(key, await answer)));
    } finally {
      this.listeners.delete(listener);
    }
    return { answers, cached };
  }

  flush(): void {
    this.due = this.waiting.size;
    this.dispatch();
  }

  /** The store answers again. */
  reset(): void {
    this.breaker.succeeded();
  }

  ping(): Promise<void> {
    return this.reader.ping();
  }

  async close(): Promise<void> {
    this.closed.abort();
    for (const each of this.trying) each.abort();
    this.giveUp(ENDED);
    await this.reader.close();
  }

  private want(key: string): Wanted {
    const present = this.asked.get(key) ?? this.waiting.get(key);
    if (present) return present;
    let settle: Wanted['settle'] = () => undefined;
    let reject: Wanted['reject'] = () => undefined;
    const answer = new Promise<LookupAnswer>((resolve, fail) => {
      settle = resolve;
      reject = fail;
    });
    const wanted = { answer, settle, reject };
    this.waiting.set(key, wanted);
    return wanted;
  }

  /** Sends the requests that may be sent, and schedules the rest. */
  private dispatch(): void {
    const { waiting, limits } = this;
    if (this.closed.signal.aborted) this.giveUp(ENDED);
    if (this.breaker.isOpen) this.giveUp('it failed several times in a row, the circuit breaker is open');
    const size = Math.max(1, Math.min(limits.batchMax, this.reader.keysMax));
    while (this.underWay < limits.concurrencyMax && (waiting.size >= size || this.due > 0)) this.start(size);
    if (waiting.size > this.due && !this.timing) void this.wait();
  }

  private async wait(): Promise<void> {
    this.timing = true;
    await this.clock.sleep(this.limits.waitMax, this.closed.signal);
    this.timing = false;
    this.flush();
  }

  /** Takes the first keys and requests them. */
  private start(size: number): void {
    const keys: string[] = [];
    for (const [key, wanted] of this.waiting) {
      if (keys.length === size) break;
      keys.push(key);
      this.waiting.delete(key);
      this.asked.set(key, wanted);
    }
    this.due = Math.max(0, this.due - keys.length);
    this.underWay += 1;
    void this.request(keys).finally(() => {
      this.underWay -= 1;
      this.dispatch();
    });
  }

  /** Retries until every key has an answer or the tries are used up; never rejects. */
  private async request(keys: readonly string[]): Promise<void> {
    let left = keys;
    try {
      for (let attempt = 1; ; attempt++) {
        await this.pace.take(1, this.closed.signal);
        const answers = await this.once(left);
        for (const tell of this.listeners) tell(); // callers behind others are not stuck either
        const failed: string[] = [];
        let retryAfterMs = 0;
        left.forEach((key, i) => {
          const answer = answers[i] ?? NO_ANSWER;
          if (answer.kind === 'failed' && attempt < this.limits.attemptsMax) {
            failed.push(key);
            retryAfterMs = Math.max(retryAfterMs, answer.retryAfterMs ?? 0);
          } else this.answer(key, answer);
        });
        if (answers.some(({ kind }) => kind !== 'failed')) this.breaker.succeeded();
        else if (failed.length === 0) this.breaker.failed();
        if (failed.length === 0) return;
        left = failed;
        const pauseMs = backOffMs(attempt, requestBackOff, this.random);
        await this.clock.sleep(Math.max(pauseMs, Math.min(retryAfterMs, RETRY_AFTER_MAX_MS)), this.closed.signal);
      }
    } catch (error) {
      for (const key of left) this.take(key)?.reject(error);
    }
  }

  /** One try: an error counts as a failure of every key, unless it is permanent. */
  private async once(keys: readonly string[]): Promise<readonly LookupAnswer[]> {
    const { timeout } = this.limits;
    const over = new AbortController();
    this.trying.add(over);
    let forget = (): void => undefined;
    try {
      if (this.closed.signal.aborted) throw new MillraceError('lookup', ENDED);
      const answers = this.reader.get(keys, over.signal);
      answers.catch(() => undefined); // it may fail after the timeout
      const late = new Promise<never>((_, reject) => {
        forget = this.clock.every(timeout, () => reject(new MillraceError('lookup', `no answer within ${timeout} ms`)));
        over.signal.addEventListener('abort', () => reject(new MillraceError('lookup', ENDED)));
      });
      return await Promise.race([answers, late]);
    } catch (error) {
      if (error instanceof MillraceError && error.permanent) throw error;
      return keys.map(() => ({ kind: 'failed', detail: messageOf(error) }));
    } finally {
      forget();
      this.trying.delete(over);
      over.abort(); // nobody waits for a later answer
    }
  }

  private answer(key: string, answer: LookupAnswer): void {
    this.remembered?.put(key, answer);
    this.take(key)?.settle(answer);
  }

  private take(key: string): Wanted | undefined {
    const wanted = this.asked.get(key);
    this.asked.delete(key);
    return wanted;
  }

  /** Answers all waiting keys with a failure. */
  private giveUp(detail: string): void {
    for (const { settle } of this.waiting.values()) settle({ kind: 'failed', detail });
    this.waiting.clear();
    this.due = 0;
  }
}

const ENDED = 'the run has ended';
const NO_ANSWER: LookupAnswer = { kind: 'refused', detail: 'the store returned fewer values than there were keys' };
