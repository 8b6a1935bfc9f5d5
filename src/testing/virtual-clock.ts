import type { Clock } from '../runtime/index.js';

/** A clock that advances only when told to, or when something sleeps. */
export class VirtualClock implements Clock {
  private timeMs = 0;
  private readonly tickers = new Set<{ readonly everyMs: number; dueMs: number; readonly tick: () => void }>();

  now(): number {
    return this.timeMs;
  }

  /** Yields to the event loop, as a real sleep does, so that a loop with a sleep does not block others. */
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
      ticker.dueMs = this.timeMs + ticker.everyMs; // like a timer, which does not repeat missed ticks
      ticker.tick();
    }
  }
}
