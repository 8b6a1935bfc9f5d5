import type { Clock } from '../runtime/index.js';

/** Time that moves only when told to; whoever sleeps moves it. */
export class VirtualClock implements Clock {
  private timeMs = 0;

  now(): number {
    return this.timeMs;
  }

  async sleep(ms: number): Promise<void> {
    this.advance(ms);
  }

  advance(ms: number): void {
    this.timeMs += ms;
  }
}
