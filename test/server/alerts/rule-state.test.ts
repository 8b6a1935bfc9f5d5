import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { seconds } from '../../../src/core/index.js';
import { type AlertState, initialState, nextState } from '../../../src/server/alerts/rule-state.js';
import type { AlertRule } from '../../../src/topology/index.js';

const high: AlertRule = { measure: 'lag_records', above: 100, for: seconds(10), severity: 'warning' };
const low: AlertRule = { measure: 'model/roc_auc', below: 0.7, for: seconds(10), severity: 'warning' };

/** The states at each of these values, one every five seconds, and how often it began to fire and was resolved. */
function over(rule: AlertRule, values: readonly (number | undefined)[]) {
  let state = initialState(0);
  const states: AlertState[] = [];
  for (const [i, value] of values.entries()) {
    state = nextState(rule, state, value, i * 5_000);
    states.push(state);
  }
  const begun = (wanted: AlertState['state']) =>
    states.filter((each, i) => each.state === wanted && states[i - 1]?.state !== wanted).length;
  return { names: states.map((each) => each.state), states, fired: begun('firing'), resolved: begun('resolved') };
}

describe('an alert rule', () => {
  it('pends for its time, fires, and is resolved when the measure has been back for as long', () => {
    expect(over(high, [50, 150, 150, 150, 150, 80, 80, 80]).names).toEqual([
      ...['inactive', 'pending', 'pending', 'firing', 'firing', 'firing', 'firing', 'resolved'],
    ]);
    expect(over(low, [0.8, 0.6, 0.6, 0.6, 0.8, 0.8, 0.8]).names).toEqual([
      ...['inactive', 'pending', 'pending', 'firing', 'firing', 'firing', 'resolved'],
    ]);
  });

  it('says since when', () => {
    const { states } = over(high, [50, 150, 150, 150, 150, 80, 80, 80]);
    expect(states.map(({ sinceMs }) => sinceMs / 1_000)).toEqual([0, 5, 5, 15, 15, 15, 15, 35]);
  });

  it('does not fire for a short time, and a value at the threshold is not above it', () => {
    expect(over(high, [150, 50, 150, 150, 50, 100, 100, 100]).fired).toBe(0);
  });

  it('fires and clears once under a value that wavers about the threshold', () => {
    const waver = Array.from({ length: 40 }, (_, i) => (i % 2 === 0 ? 104 : 96));
    expect(over(high, [...waver, 80, 80, 80, 80])).toMatchObject({ fired: 1, resolved: 1 });
    // Far to and fro, once it has fired: it has not been back for ten seconds.
    const wide = Array.from({ length: 40 }, (_, i) => (i % 2 === 0 ? 150 : 10));
    expect(over(high, [150, 150, 150, ...wide, 80, 80, 80, 80])).toMatchObject({ fired: 1, resolved: 1 });
    // Before it has fired: it never is beyond the threshold for long.
    expect(over(high, wide).fired).toBe(0);
  });

  it('without a value no longer pends, and goes on firing', () => {
    expect(over(high, [150, undefined, 150, 150, 150, undefined, undefined, 80, 80, 80]).names).toEqual([
      ...['pending', 'inactive', 'pending', 'pending', 'firing', 'firing', 'firing', 'firing', 'firing', 'resolved'],
    ]);
  });

  it('that was resolved is so for ten minutes, unless it pends again', () => {
    const fired = [150, 150, 150, 80, 80, 80];
    const { names } = over(high, [...fired, ...Array.from({ length: 121 }, () => 80)]);
    expect(names.slice(5).filter((name) => name === 'resolved')).toHaveLength(120);
    expect(names.at(-1)).toBe('inactive');
    expect(over(high, [...fired, 150]).names.at(-1)).toBe('pending');
  });

  it('fires at once without a duration', () => {
    expect(over({ ...high, for: seconds(0) }, [150, 95, 80]).names).toEqual(['firing', 'firing', 'resolved']);
  });

  it('has thresholds of zero and below', () => {
    expect(over({ ...high, above: 0 }, [1, 1, 1, 0, 0, 0]).names.at(-1)).toBe('resolved');
    expect(over({ ...high, above: -10 }, [-5, -5, -5, -10.5, -10.5, -10.5]).names.at(-1)).toBe('firing');
    expect(over({ ...high, above: -10 }, [-5, -5, -5, -11, -11, -11]).names.at(-1)).toBe('resolved');
  });

  it('fires at most once in twice its duration, whatever the values are', () => {
    const value = fc.option(fc.integer({ min: 50, max: 150 }), { nil: undefined });
    fc.assert(
      fc.property(fc.array(value, { maxLength: 60 }), (values) => {
        const { states } = over(high, values);
        const began = states.flatMap((each, i) =>
          each.state === 'firing' && states[i - 1]?.state !== 'firing' ? [i * 5] : [],
        );
        for (const [i, at] of began.entries())
          if (i > 0) expect(at - (began[i - 1] as number)).toBeGreaterThanOrEqual(20);
      }),
    );
  });
});
