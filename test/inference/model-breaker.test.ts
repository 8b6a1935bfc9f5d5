import { beforeEach, describe, expect, test } from 'vitest';
import { type ModelBreaker, modelBreaker } from '../../src/inference/model-breaker.js';

let nowMs: number;
let breaker: ModelBreaker;
beforeEach(() => {
  nowMs = 0;
  breaker = modelBreaker({ nowMs: () => nowMs, random: () => 1 });
});

describe('the circuit breaker of a model', () => {
  test('opens where the model cannot be run, and is half-open after a while', () => {
    breaker.failed();
    expect([breaker.isOpen, breaker.isHalfOpen]).toEqual([true, false]);
    nowMs += 60_000;
    expect([breaker.isOpen, breaker.isHalfOpen]).toEqual([false, true]);
    breaker.passed();
    expect([breaker.isOpen, breaker.isHalfOpen]).toEqual([false, false]);
  });

  test('stays open for longer each time', () => {
    const openMs = () => {
      breaker.failed();
      const startMs = nowMs;
      while (breaker.isOpen) nowMs += 10;
      return nowMs - startMs;
    };
    const [first, second, third] = [openMs(), openMs(), openMs()] as [number, number, number];
    expect(second).toBeGreaterThan(first);
    expect(third).toBeGreaterThan(second);
    expect(breaker.openings).toBe(3);
  });

  test('opens where more than half of many rows got no useful answer, not where some rows are bad', () => {
    for (let call = 0; call < 1_000; call++) breaker.answered(64, 24, 1);
    expect(breaker.isOpen).toBe(false);
    for (let call = 0; call < 20 && !breaker.isOpen; call++) breaker.answered(64, 64, 1);
    expect(breaker.isOpen).toBe(true);
    expect(breaker.openings).toBe(1);
  });

  test('says nothing after a few rows', () => {
    breaker.answered(31, 31, 1);
    expect(breaker.isOpen).toBe(false);
    breaker.answered(1, 1, 1);
    expect(breaker.isOpen).toBe(true);
  });

  test('opens where batches take more than ten times what they took', () => {
    breaker.answered(10, 0, 9);
    expect(breaker.isOpen).toBe(false);
    breaker.answered(10, 0, 11);
    expect(breaker.isOpen).toBe(true);
  });

  test('is not opened again by what was asked before it opened', () => {
    breaker.failed();
    breaker.failed();
    breaker.answered(100, 100, 1);
    expect(breaker.openings).toBe(1);
  });

  test('begins anew once it has answered well', () => {
    breaker.failed();
    nowMs += 60_000;
    breaker.passed();
    breaker.answered(64, 0, 1);
    breaker.failed();
    // As after the first time: half a second at the most.
    nowMs += 501;
    expect(breaker.isOpen).toBe(false);
  });
});
