import { MillraceError, messageOf, placedMessageOf } from '../core/index.js';
import { getOrInsert } from '../util/maps.js';
import { CircuitBreaker } from './circuit-breaker.js';
import type { Clock } from './clock.js';

/** A sink that does not take what it is given, or a store that does not answer lookups. */
export interface Outage {
  /** The id of the sink, or of the step that looks up. */
  readonly sink: string;
  /** Processing time at which it was first noticed. */
  readonly sinceMs: number;
  /** The words of the last failure. */
  readonly cause: string;
}

export interface OutagesOptions {
  readonly clock: Clock;
  /** Asks a sink whether it answers; nothing where it cannot be asked, and then waiting is all that can be done. */
  ask(sink: string): Promise<void> | undefined;
  onWarning(message: string): void;
  readonly random: () => number;
}

/** What an outage is of, by the code of the error that tells of it. */
const names: Readonly<Record<string, string>> = { sink: 'sink', lookup: 'lookup' };

type Answer = 'given' | 'none' | 'unknown';

/** How long an answer may take before it counts as none. */
const ANSWER_MAX_MS = 10_000;

/**
 * Which sinks are down, as all tasks of a run see them: a circuit breaker for each. A task that fails because of a sink
 * lets go of everything and is opened again only when the sink answers; until then one question now and then is all that
 * is asked of it. So an outage costs neither memory nor transactions held open, however long it lasts.
 */
export class Outages {
  private readonly open = new Map<string, Outage>();
  /** By sink, since rows last arrived: a sink that answers and still fails is waited for longer. */
  private readonly breakers = new Map<string, CircuitBreaker>();
  /** Questions that were not answered. */
  private silences = 0;
  private readonly waiting = new Set<() => void>();
  private readonly ended = new AbortController();

  constructor(private readonly options: OutagesOptions) {}

  get down(): readonly Outage[] {
    return [...this.open.values()];
  }

  /** A sink, or what a step looks up in, failed a task. Errors that will not pass are none of this. */
  report(sink: string, error: unknown): void {
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

  /** An epoch is in all sinks: whatever comes next is a new story. */
  worked(): void {
    for (const sink of this.breakers.keys()) if (!this.open.has(sink)) this.breakers.delete(sink);
  }

  /** Resolves once no sink is down, or `signal` is aborted; `true` where one of them did not even answer meanwhile. */
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

  /** Asks no more. */
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
    const { sinceMs = 0 } = this.open.get(sink) ?? {};
    this.open.delete(sink);
    const what = answer === 'unknown' ? 'is tried again' : 'answers again';
    if (!signal.aborted) onWarning(`${name} ${what} after ${seconds(clock.now() - sinceMs)} s`);
    if (this.open.size === 0) for (const done of this.waiting) done();
  }

  private async answerOf(sink: string): Promise<Answer> {
    const asked = this.options.ask(sink);
    if (!asked) return 'unknown'; // only trying will tell
    const over = new AbortController();
    const tooLate = this.options.clock.sleep(ANSWER_MAX_MS, over.signal).then(() => {
      throw new MillraceError('sink', `no answer within ${seconds(ANSWER_MAX_MS)} s`, { where: sink });
    });
    try {
      await Promise.race([asked, tooLate]);
      return 'given';
    } catch (error) {
      this.silences += 1;
      const outage = this.open.get(sink);
      if (outage) this.open.set(sink, { ...outage, cause: messageOf(error) });
      return 'none';
    } finally {
      tooLate.catch(() => undefined);
      asked.catch(() => undefined);
      over.abort();
    }
  }
}

const seconds = (ms: number): string => (ms / 1_000).toFixed(ms < 10_000 ? 1 : 0);
