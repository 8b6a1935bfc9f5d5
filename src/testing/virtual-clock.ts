import type { Clock } from '../runtime/index.js';

/** Time that moves only when told to; whoever sleeps moves it. */
export class VirtualClock implements Clock {
  private timeMs = 0;
  private readonly tickers = new Set<{ readonly everyMs: number; dueMs: number; readonly tick: () => void }>();

  now(): number {
    return this.timeMs;
  }

  /** Lets the event loop turn, as a real sleep does: who sleeps in a loop must not keep everybody else from working. */
  async sleep(ms: number): Promise<void> {
    this.advance(ms);
    await new Promise((resolve) => setImmediate(resolve));
  }

  every(everyMs: number, tick: () => void): () => void {
    const ticker = { everyMs, dueMs: this.timeMs + everyMs, tick };
    this.tickers.add(ticker);
    return () => this.tickers.delete(ticker);
  }

  advance(ms: number): void {
    this.timeMs += ms;
    for (const ticker of this.tickers) {
      if (this.timeMs < ticker.dueMs) continue;
      ticker.dueMs = this.timeMs + ticker.everyMs; // as a timer does: what was missed is not made up for
      ticker.tick();
    }
  }
}
