import type { Clock } from '../../src/runtime/index.js';

/** Turns of the event loop in which a run without time gets to where it waits for some. */
const TURNS = 40;

/** A clock that goes to the next end of a sleep when everything waits, so that durations are exact and take no time. */
export class EventClock implements Clock {
  private timeMs = 0;
  private sleeping: { readonly dueMs: number; readonly wake: () => void }[] = [];

  now(): number {
    return this.timeMs;
  }

  /** Time that passes on the thread, while nothing else runs. */
  work(ms: number): void {
    this.timeMs += ms;
  }

  sleep(ms: number): Promise<void> {
    return new Promise((wake) => {
      this.sleeping.push({ dueMs: this.timeMs + ms, wake });
    });
  }

  every(): () => void {
    return () => undefined;
  }

  /** Runs until this time. */
  async until(timeMs: number): Promise<void> {
    while (this.timeMs < timeMs) {
      const before = this.timeMs;
      for (let turn = 0; turn < TURNS; turn++) await new Promise((resolve) => setImmediate(resolve));
      // The thread has worked: it is not at its end.
      if (this.timeMs > before) continue;
      const next = this.sleeping.reduce((a, b) => (b.dueMs < a.dueMs ? b : a), {
        dueMs: timeMs,
        wake: () => undefined,
      });
      this.timeMs = Math.max(this.timeMs, next.dueMs);
      this.sleeping = this.sleeping.filter((each) => each !== next);
      next.wake();
    }
  }
}
