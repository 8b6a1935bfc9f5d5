interface Sleeper {
  readonly atMs: number;
  readonly wake: () => void;
}

/**
 * Time that stands still while anything has work and then jumps to the next sleeper. In a turn of the event loop everything that is
 * ready runs, then the next sleepers wake.
 */
export class VirtualTime {
  nowMs = 0;
  turns = 0;
  /** By time, then in the order in which they went to sleep. */
  private readonly sleepers: Sleeper[] = [];

  advance(ms: number): void {
    this.nowMs += ms;
  }

  sleep(ms: number): Promise<void> {
    return new Promise((wake) => {
      const atMs = this.nowMs + ms;
      let place = this.sleepers.length;
      while (place > 0 && (this.sleepers[place - 1] as Sleeper).atMs > atMs) place--;
      this.sleepers.splice(place, 0, { atMs, wake });
    });
  }

  async turn(): Promise<void> {
    this.turns += 1;
    await new Promise<void>((resolve) => setImmediate(resolve));
    const first = this.sleepers[0];
    if (first === undefined) return;
    this.nowMs = Math.max(this.nowMs, first.atMs);
    while (this.sleepers[0] !== undefined && this.sleepers[0].atMs <= this.nowMs) this.sleepers.shift()?.wake();
  }
}
