import { backOffMs, outageBackOff } from './retry.js';

export interface CircuitBreakerOptions {
  /** Failures in a row before the circuit opens. */
  readonly failuresMax: number;
  /** Milliseconds. */
  readonly now: () => number;
  readonly random: () => number;
}

/**
 * A circuit breaker. After some failures in a row the circuit is open for a while; then one more failure opens it for longer, and
 * one success closes it. Requests sent before it opened do not count when they fail later.
 */
export class CircuitBreaker {
  private failures = 0;
  private openUntilMs = Number.NEGATIVE_INFINITY;

  constructor(private readonly options: CircuitBreakerOptions) {}

  get isOpen(): boolean {
    return this.openMs > 0;
  }

  /** How long it stays open from now, in milliseconds. */
  get openMs(): number {
    return Math.max(0, this.openUntilMs - this.options.now());
  }

  failed(): void {
    this.failures += 1;
    const { failuresMax, now, random } = this.options;
    if (this.failures < failuresMax || this.isOpen) return;
    this.openUntilMs = now() + backOffMs(this.failures - failuresMax + 1, outageBackOff, random);
  }

  succeeded(): void {
    this.failures = 0;
    this.openUntilMs = Number.NEGATIVE_INFINITY;
  }
}
