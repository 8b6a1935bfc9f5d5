/** One of so many pieces of work is timed: reading a clock costs as much as an update of a small model. */
const EVERY = 16;

/** How long small pieces of work of one kind take together, about. The first piece is timed, and then each sixteenth. */
export class SampledTime {
  private pieces = 0;
  private timed = 0;
  private timedMs = 0;
  private startedMs = 0;

  constructor(private readonly nowMs: () => number) {}

  /** Call before a piece of work. */
  begin(): void {
    if (this.pieces % EVERY === 0) this.startedMs = this.nowMs();
  }

  /** Call after it. */
  end(): void {
    if (this.pieces % EVERY === 0) {
      this.timedMs += this.nowMs() - this.startedMs;
      this.timed += 1;
    }
    this.pieces += 1;
  }

  /** The milliseconds of all work since the last call. */
  take(): number {
    const ms = this.timed === 0 ? 0 : (this.timedMs / this.timed) * this.pieces;
    this.pieces = 0;
    this.timed = 0;
    this.timedMs = 0;
    return ms;
  }
}
