import { CircuitBreaker } from '../util/circuit-breaker.js';

/** Whether a model on a provider is asked, as all chains of the process that have it see it. */
export interface ModelBreaker {
  /** While it is open, the model is not asked. */
  readonly isOpen: boolean;
  /** It was open, and has not answered since: it must answer its golden inputs before it gets rows. */
  readonly isHalfOpen: boolean;
  /** How often it has opened. */
  readonly openings: number;
  /** The model cannot be run, or answers golden inputs wrongly or late. */
  failed(): void;
  /** It answered its golden inputs. */
  passed(): void;
  /** It answered rows, and of some of them nothing that can be used; `slowness` is how many times what it should its batches take. */
  answered(rows: number, useless: number, slowness: number): void;
}

export interface ModelBreakerOptions {
  nowMs(): number;
  random(): number;
}

/** Rows that are remembered, and those without which nothing is said. */
const WINDOW = 256;
const ROWS_MIN = 32;
/** The share of rows without a useful answer, and the slowness, from which the next of the chain is asked. */
const USELESS_MAX = 0.5;
const SLOWNESS_MAX = 10;

/**
 * A circuit breaker for a model on a provider. It opens where the model cannot be run, where more than half of the last rows got no
 * answer that is a finite number, and where its batches take ten times what they took when it was loaded. After half a second (the
 * next time a second, up to ten) it is half-open: one that answers golden inputs gets rows again.
 */
export function modelBreaker({ nowMs, random }: ModelBreakerOptions): ModelBreaker {
  const breaker = new CircuitBreaker({ failuresMax: 1, now: nowMs, random });
  let openings = 0;
  let isTried = false;
  let seen = 0;
  let uselessShare = 0;

  function open(): void {
    if (breaker.isOpen) return;
    breaker.failed();
    openings++;
    isTried = true;
    seen = 0;
    uselessShare = 0;
  }

  return {
    get isOpen() {
      return breaker.isOpen;
    },
    get isHalfOpen() {
      return isTried && !breaker.isOpen;
    },
    get openings() {
      return openings;
    },
    failed: open,
    passed() {
      isTried = false;
    },
    answered(rows, useless, slowness) {
      if (rows === 0 || breaker.isOpen) return;
      seen += rows;
      const share = Math.min(1, rows / Math.min(seen, WINDOW));
      uselessShare += share * (useless / rows - uselessShare);
      const isUseless = seen >= ROWS_MIN && uselessShare > USELESS_MAX;
      if (isUseless || slowness > SLOWNESS_MAX) return open();
      isTried = false;
      if (seen >= ROWS_MIN) breaker.succeeded();
    },
  };
}
