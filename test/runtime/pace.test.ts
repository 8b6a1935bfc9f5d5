import { describe, expect, it } from 'vitest';
import { paceOf } from '../../src/runtime/clock.js';
import { VirtualClock } from '../../src/testing/virtual-clock.js';

describe('paceOf', () => {
  it('lets through what the rate allows and no more', async () => {
    const clock = new VirtualClock();
    const pace = paceOf(1_000, clock);
    for (let round = 0; round < 100; round++) await pace.take(50);
    expect(clock.now()).toBe(5_000);
  });

  it('does not make up for a pause beyond a second', async () => {
    const clock = new VirtualClock();
    const pace = paceOf(1_000, clock);
    clock.advance(60_000);
    for (let round = 0; round < 100; round++) await pace.take(50);
    expect(clock.now()).toBe(64_000);
  });
});
