import type { AlertRule } from '../../topology/index.js';

/** Where a rule stands, since when, and the value that it saw last. */
export interface AlertState {
  readonly state: 'inactive' | 'pending' | 'firing' | 'resolved';
  readonly sinceMs: number;
  readonly value: number | undefined;
  /** While it fires: since when the measure has been back. */
  readonly backSinceMs: number | undefined;
}

/** How far a measure must come back, as a share of the threshold. */
const MARGIN = 0.1;
/** How long a resolved alert is shown. */
const SHOWN_MS = 10 * 60_000;

export const initialState = (nowMs: number): AlertState => ({
  state: 'inactive',
  sinceMs: nowMs,
  value: undefined,
  backSinceMs: undefined,
});

/**
 * The next state of a rule: inactive, pending (beyond the threshold, not for long enough), firing, resolved (for ten minutes). A
 * measure without a value neither begins nor ends an alert, but no longer pends.
 *
 * Guarantee: an alert that fires is resolved only after its measure has been back for `for` without a break, and a pending one ends
 * when it is back. So a value that crosses the threshold to and fro fires and clears at most once in any time of twice `for`.
 */
export function nextState(rule: AlertRule, before: AlertState, value: number | undefined, nowMs: number): AlertState {
  const { state, sinceMs } = before;
  const to = (next: AlertState['state']): AlertState => ({
    state: next,
    sinceMs: next === state ? sinceMs : nowMs,
    value,
    backSinceMs: undefined,
  });
  const isBeyond = value !== undefined && isBeyondOf(rule, value);
  const isBack = value !== undefined && isBackOf(rule, value);
  switch (state) {
    case 'inactive':
    case 'resolved': {
      if (isBeyond) return to(rule.for === 0 ? 'firing' : 'pending');
      return to(state === 'resolved' && nowMs - sinceMs < SHOWN_MS ? 'resolved' : 'inactive');
    }
    case 'pending': {
      if (isBack || value === undefined) return to('inactive');
      return to(isBeyond && nowMs - sinceMs >= rule.for ? 'firing' : 'pending');
    }
    case 'firing': {
      if (value === undefined) return before;
      if (!isBack) return to('firing');
      const backSinceMs = before.backSinceMs ?? nowMs;
      return nowMs - backSinceMs >= rule.for ? to('resolved') : { ...to('firing'), backSinceMs };
    }
  }
}

const isBeyondOf = ({ above, below }: AlertRule, value: number): boolean =>
  (above !== undefined && value > above) || (below !== undefined && value < below);

const isBackOf = ({ above, below }: AlertRule, value: number): boolean =>
  (above === undefined || value <= above - MARGIN * Math.abs(above)) &&
  (below === undefined || value >= below + MARGIN * Math.abs(below));
