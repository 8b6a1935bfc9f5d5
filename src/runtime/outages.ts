import { MillraceError, messageOf, placedMessageOf } from '../core/index.js';
import { CircuitBreaker } from '../util/circuit-breaker.js';
import { getOrInsert } from '../util/maps.js';
import type { Clock } from './clock.js';

/** A sink that refuses writes, or a store that does not answer lookups. */
export interface Outage {
  /** The id of the sink or of the lookup step. */
  readonly sink: string;
  /** Processing time at which it was first noticed. */
  readonly sinceMs: number;
  /** The message of the last failure. */
  readonly cause: string;
}

export interface OutagesOptions {
  readonly clock: Clock;
  /** Checks whether a sink answers; undefined if it cannot be checked, and waiting is all that can be done. */
  ping(sink: string): Promise<void> | undefined;
  onWarning(message: string): void;
  readonly random: () => number;
}

/** The kind of an outage, by the code of its error. */
const names: Readonly<Record<string, string>> = { sink: 'sink', lookup: 'lookup' };

type Answer = 'given' | 'none' | 'unknown';

/** An answer after this time counts as none. */
const ANSWER_MAX_MS = 10_000;

/**
 * The sinks that are down, for all tasks of a run, with a circuit breaker for each. A task that fails because of a sink releases
 * everything and is reopened only when the sink answers; until then the sink only gets occasional pings. So an outage costs neither
 * memory nor open transactions, however long it lasts.
 */
export class Outages {
  private readonly open = new Map<string, Outage>();
  /** By sink, since the last successful epoch: a sink that answers and still fails gets longer pauses. */
  private readonly breakers = new Map<string, CircuitBreaker>();
  /** Pings without an answer. */
  private silences = 0;
  private readonly waiting = new Set<() => void>();
  private readonly ended = new AbortController();
  private readonly sinks = new WeakMap<Error, string>();

  constructor(private readonly options: OutagesOptions) {}

  get down(): readonly Outage[] {
    return [...this.open.values()];
  }

  /** Reports that a sink, or the store of a lookup, failed a task. Permanent errors are ignored. */
  report(sink: string, error: unknown): void {
    if (error instanceof Error) this.sinks.set(error, sink);
    if (!(error instanceof MillraceError) || !(error.code in names) || error.permanent) return;
    const known = this.open.get(sink);
    this.open.set(sink, {
      sink,
      sinceMs: known?.sinceMs ?? this.options.clock.now(),
      cause: messageOf(error),
    });
    if (known) return;
    const name = `${names[error.code]} '${sink}'`;
    this.options.onWarning(`${name} is down, its tasks wait for it: ${placedMessageOf(error, sink)}`);
    void this.attend(sink, name);
  }

  /** The sink, or lookup, that was reported with this error. */
  sinkOf(error: unknown): string | undefined {
    return error instanceof Error ? this.sinks.get(error) : undefined;
  }

  /** All sinks have stored an epoch: later failures are a new outage. */
  worked(): void {
    for (const sink of this.breakers.keys()) if (!this.open.has(sink)) this.breakers.delete(sink);
  }

  /** Resolves when no sink is down, or when `signal` aborts; `true` if one of them did not even answer meanwhile. */
  async over(signal: AbortSignal): Promise<boolean> {
    const before = this.silences;
    while (this.open.size > 0 && !signal.aborted) {
      await new Promise<void>((resolve) => {
        const done = () => {
          signal.removeEventListener('abort', done);
          this.waiting.delete(done);
          resolve();
        };
        signal.addEventListener('abort', done);
        this.waiting.add(done);
      });
    }
    return this.silences > before;
  }

  /** Stops the pings. */
  close(): void {
    this.ended.abort();
  }

  /** Waits until the sink answers. */
  private async attend(sink: string, name: string): Promise<void> {
    const { clock, random, onWarning } = this.options;
    const { signal } = this.ended;
    const breaker = getOrInsert(
      this.breakers,
      sink,
      () => new CircuitBreaker({ failuresMax: 1, now: () => clock.now(), random }),
    );
    let answer: Answer = 'none';
    while (answer === 'none' && !signal.aborted) {
      breaker.failed();
      await clock.sleep(breaker.openMs, signal);
      if (!signal.aborted) answer = await this.answerOf(sink);
    }
    const { sinceMs } = this.open.get(sink) as Outage;
    this.open.delete(sink);
    const what = answer === 'unknown' ? 'is tried again' : 'answers again';
    if (!signal.aborted) onWarning(`${name} ${what} after ${seconds(clock.now() - sinceMs)} s`);
    if (this.open.size === 0) for (const done of this.waiting) done();
  }

  /** A ping that throws at once has no answer either. */
  private ask(sink: string): Promise<void> | undefined {
    try {
      return this.options.ping(sink);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  private async answerOf(sink: string): Promise<Answer> {
    const asked = this.ask(sink);
    if (!asked) return 'unknown'; // only a retry will tell
    const over = new AbortController();
    const tooLate = this.options.clock.sleep(ANSWER_MAX_MS, over.signal).then(() => {
      throw new MillraceError('sink', `no answer within ${seconds(ANSWER_MAX_MS)} s`, { where: sink });
    });
    try {
      await Promise.race([asked, tooLate]);
      return 'given';
    } catch (error) {
      this.silences += 1;
      this.open.set(sink, { ...(this.open.get(sink) as Outage), cause: messageOf(error) });
      return 'none';
    } finally {
      tooLate.catch(() => undefined);
      asked.catch(() => undefined);
      over.abort();
    }
  }
}

const seconds = (ms: number): string => (ms / 1_000).toFixed(ms < 10_000 ? 1 : 0);
