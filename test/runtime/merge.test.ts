import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { eventTimeOf, mergeRound } from '../../src/runtime/merge.js';
import { inputOf, mergeAll } from './inputs.js';

const times = fc.array(fc.integer({ min: 0, max: 200 }), { maxLength: 40 });
const polls = fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1, maxLength: 5 });

/** The definition: each input's running maximum is its merge time; earliest first, then input order, then offset. */
function naiveOrder(logs: readonly (readonly number[])[]): string[] {
  const all = logs.flatMap((log, input) => {
    let max = Number.NEGATIVE_INFINITY;
    return log.map((time, offset) => {
      max = Math.max(max, time);
      return { input, offset, time: max };
    });
  });
  all.sort((a, b) => a.time - b.time || a.input - b.input || a.offset - b.offset);
  return all.map(({ input, offset }) => `${input}@${offset}`);
}

describe('mergeRound', () => {
  it('orders by event time, then input, then offset, however the logs were polled and cut into rounds', async () => {
    await fc.assert(
      fc.asyncProperty(
        times,
        times,
        times,
        polls,
        polls,
        fc.integer({ min: 1, max: 9 }),
        async (a, b, c, pollA, pollB, roundMax) => {
          const inputs = [inputOf('0', a, pollA), inputOf('1', b, pollB), inputOf('2', c, pollA)];
          const { order } = await mergeAll(inputs, roundMax);
          expect(order).toEqual(naiveOrder([a, b, c]));
        },
      ),
      { numRuns: 200 },
    );
  });

  it('raises the watermark at the same records, however the logs were polled and cut into rounds', async () => {
    const disorder = fc.integer({ min: 0, max: 30 });
    await fc.assert(
      fc.asyncProperty(times, times, polls, disorder, fc.integer({ min: 1, max: 9 }), async (a, b, pollA, d, max) => {
        const cut = await mergeAll([inputOf('0', a, pollA, 0, d), inputOf('1', b)], max);
        const whole = await mergeAll([inputOf('0', a, [100], 0, d), inputOf('1', b, [100])], 1_000);
        expect(cut.ticks).toEqual(whole.ticks);
      }),
    );
  });

  it('never lets the watermark fall, nor pass a record that is still to come within the disorder', async () => {
    const disordered = fc.array(fc.tuple(fc.integer({ min: 0, max: 9 }), fc.integer({ min: 0, max: 20 })), {
      maxLength: 40,
    });
    await fc.assert(
      fc.asyncProperty(disordered, disordered, polls, async (a, b, pollA) => {
        // The times of a log rise by the first number and trail by at most 20.
        const logs = [a, b].map((steps) => {
          let nowMs = 100;
          return steps.map(([rise, trail]) => {
            nowMs += rise;
            return nowMs - trail;
          });
        });
        const timeOf = (at: string) => logs[Number(at[0])]?.[Number(at.slice(2))] as number;
        const inputs = logs.map((log, input) => inputOf(String(input), log, pollA, 0, 20));
        const { order, ticks } = await mergeAll(inputs, 4);
        const risen = ticks.map(({ watermarkMs }) => watermarkMs);
        expect(risen).toEqual([...new Set(risen)].sort((x, y) => x - y));
        for (const { watermarkMs, at } of ticks) {
          const later = order.slice(order.indexOf(at) + 1).map(timeOf);
          expect(Math.min(...later)).toBeGreaterThanOrEqual(watermarkMs);
        }
      }),
      { numRuns: 200 },
    );
  });

  it('goes on from a position as if it had never stopped', async () => {
    const log = [5, 1, 9, 9, 12, 30];
    const whole = inputOf('0', log, [6]);
    const { order } = await mergeAll([whole], 100);
    expect(order).toHaveLength(6);
    expect(whole.position).toEqual({ offset: 6, mergeTimeMs: 30, suspectMs: null });
    const { order: rest } = await mergeAll([inputOf('0', log, [2], 4)], 100);
    expect(rest).toEqual(['0@4', '0@5']);
  });

  it('reports the position of what was merged, not of what was read ahead', async () => {
    const ahead = inputOf('0', [1, 2, 3, 50], [4]);
    const behind = inputOf('1', [2, 60], [1]);
    await Promise.all([ahead.fill(10), behind.fill(10)]);
    mergeRound([ahead, behind], 100, 0, eventTimeOf([ahead, behind]));
    expect(ahead.position.offset).toBe(2);
    expect(behind.position.offset).toBe(1);
  });
});
