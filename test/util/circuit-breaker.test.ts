import { describe, expect, it } from 'vitest';
import { CircuitBreaker } from '../../src/util/circuit-breaker.js';

function open() {
  const clock = { nowMs: 0 };
  const breaker = new CircuitBreaker({ failuresMax: 5, now: () => clock.nowMs, random: () => 1 });
  const fail = (times: number) => {
    for (let i = 0; i < times; i++) breaker.failed();
  };
  return { clock, breaker, fail };
}

describe('CircuitBreaker', () => {
  it('opens after five failures in a row, and not before', () => {
    const { breaker, fail } = open();
    fail(4);
    expect(breaker.isOpen).toBe(false);
    breaker.succeeded();
    fail(4);
    expect(breaker.isOpen).toBe(false);
    fail(1);
    expect(breaker.isOpen).toBe(true);
  });

  it('stays open for longer with each failure after that, up to ten seconds, and not for what was asked before', () => {
    const { clock, breaker, fail } = open();
    fail(5);
    const openMs: number[] = [];
    for (let time = 0; time < 7; time++) {
      const fromMs = clock.nowMs;
      fail(3); // those that were under way
      while (breaker.isOpen) clock.nowMs += 100;
      openMs.push(clock.nowMs - fromMs);
      fail(1);
    }
    expect(openMs[0]).toBe(500);
    expect(openMs.at(-1)).toBe(10_000);
    expect([...openMs].sort((a, b) => a - b)).toEqual(openMs);
  });

  it('is closed by a success, which counts while it is open too', () => {
    const { clock, breaker, fail } = open();
    fail(5);
    clock.nowMs = 500;
    expect(breaker.isOpen).toBe(false);
    breaker.succeeded();
    fail(4);
    expect(breaker.isOpen).toBe(false);
    fail(1);
    expect(breaker.isOpen).toBe(true);
    breaker.succeeded();
    expect(breaker.isOpen).toBe(false);
  });
});
