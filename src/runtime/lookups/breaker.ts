import { backOffMs } from '../../util/retry.js';

/** Failures in a row before nothing is asked for a while. */
const FAILURES_MAX = 5;
const BACK_OFF = { waitMs: 500, waitMaxMs: 10_000 };

/**
 * Whether it is worth asking: after some failures in a row nothing is asked for a while, then one more failure is enough for a longer
 * while, and one success for everything to be as before. So records that go on without a store are not held up by its timeouts.
 */
export class Breaker {
  private failures = 0;
  private openUntilMs = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly now: () => number,
    private readonly random: () => number,
  ) {}

  get isOpen(): boolean {
    return this.now() < this.openUntilMs;
  }

  succeeded(): void {
    this.failures = 0;
  }

  failed(): void {
    this.failures += 1;
    const over = this.failures - FAILURES_MAX;
    if (over < 0 || this.isOpen) return;
    this.openUntilMs = this.now() + backOffMs(over + 1, { ...BACK_OFF, random: this.random });
  }

  /** Somebody knows that it answers again. */
  close(): void {
    this.failures = 0;
    this.openUntilMs = Number.NEGATIVE_INFINITY;
  }
}
