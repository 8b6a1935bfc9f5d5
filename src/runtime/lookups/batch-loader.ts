import {
  type LookupAnswer,
  type LookupAnswers,
  type LookupLimits,
  type LookupReader,
  MillraceError,
  messageOf,
} from '../../core/index.js';
import { backOffMs, requestBackOff } from '../../util/retry.js';
import { CircuitBreaker } from '../circuit-breaker.js';
import { type Clock, type Pace, paceOf, unpaced } from '../clock.js';
import { TtlLruCache } from './ttl-lru-cache.js';

/** A key that nobody has answered for yet, and who waits for it. */
interface Wanted {
  readonly answer: Promise<LookupAnswer>;
  settle(answer: LookupAnswer): void;
  reject(error: unknown): void;
}

/** Questions that fail in a row before nothing is asked for a while: records that go on without a store do not wait for its timeouts. */
const FAILURES_MAX = 5;
/** The longest pause that a store may ask for. */
const RETRY_AFTER_MAX_MS = 30_000;

/**
 * Asks one store for all tasks of a process: keys are gathered into questions, asked for once however many want them, and
 * remembered. Questions under way, questions a second and tries are bounded.
 *
 * A key waits at most `waitMax` for others before it is due; then it goes with the next question that may be asked.
 *
 * Memory: the keys that somebody waits for, and the answers that are remembered.
 */
export class BatchLoader {
  /** In the order in which they came. */
  private readonly waiting = new Map<string, Wanted>();
  private readonly asked = new Map<string, Wanted>();
  private readonly remembered: TtlLruCache | undefined;
  private readonly breaker: CircuitBreaker;
  private readonly pace: Pace;
  private readonly closed = new AbortController();
  private underWay = 0;
  /** Keys that need not wait for company any more: those at the front of `waiting`. */
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
    const { cache, perSecondMax } = limits;
    this.remembered = cache && new TtlLruCache(cache, () => clock.now());
    this.breaker = new CircuitBreaker({ failuresMax: FAILURES_MAX, now: () => clock.now(), random });
    this.pace = perSecondMax === undefined ? unpaced : paceOf(perSecondMax, clock);
  }

  /** @throws what the reader threw, where that is permanent. */
  async ask(keys: readonly string[], onProgress: () => void): Promise<LookupAnswers> {
    const answers = new Map<string, LookupAnswer>();
    const wanted: (readonly [string, Wanted])[] = [];
    for (const key of keys) {
      const known = this.remembered?.get(key);
      if (known) answers.set(key, known);
      else wanted.push([key, this.want(key)]);
    }
    this.dispatch();
    const cached = answers.size;
    const listener = () => onProgress(); // its own: chunks of a task that ask side by side tell of the same progress
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

  /** The store is known to answer again. */
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

  /** Asks as much as may be asked, and sees to it that the rest is asked when it is due. */
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

  /** Takes the keys that came first and asks for them. */
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
    void this.question(keys).finally(() => {
      this.underWay -= 1;
      this.dispatch();
    });
  }

  /** Asks until every key has an answer, or the tries are used up; never rejects. */
  private async question(keys: readonly string[]): Promise<void> {
    let left = keys;
    try {
      for (let attempt = 1; ; attempt++) {
        await this.pace.take(1, this.closed.signal);
        const answers = await this.once(left);
        for (const tell of this.listeners) tell(); // who waits behind others is not stuck either
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

  /** One try: what rejects is a failure of every key, unless it will be the same at every try. */
  private async once(keys: readonly string[]): Promise<readonly LookupAnswer[]> {
    const { timeout } = this.limits;
    const over = new AbortController();
    this.trying.add(over);
    let forget = (): void => undefined;
    try {
      if (this.closed.signal.aborted) throw new MillraceError('lookup', ENDED);
      const asking = this.reader.ask(keys, over.signal);
      asking.catch(() => undefined); // it may fail after its time
      const late = new Promise<never>((_, reject) => {
        forget = this.clock.every(timeout, () => reject(new MillraceError('lookup', `no answer within ${timeout} ms`)));
        over.signal.addEventListener('abort', () => reject(new MillraceError('lookup', ENDED)));
      });
      return await Promise.race([asking, late]);
    } catch (error) {
      if (error instanceof MillraceError && error.permanent) throw error;
      return keys.map(() => ({ kind: 'failed', detail: messageOf(error) }));
    } finally {
      forget();
      this.trying.delete(over);
      over.abort(); // what comes after its time is of no use to anybody
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

  /** Answers for everything that waits. */
  private giveUp(detail: string): void {
    for (const { settle } of this.waiting.values()) settle({ kind: 'failed', detail });
    this.waiting.clear();
    this.due = 0;
  }
}

const ENDED = 'the run has ended';
const NO_ANSWER: LookupAnswer = { kind: 'refused', detail: 'the store returned fewer values than there were keys' };
