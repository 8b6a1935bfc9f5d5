import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BEFORE_ALL_MS, type Position } from '../../src/core/index.js';
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
        const cut = await mergeAll([inputOf('0', a, pollA, undefined, d), inputOf('1', b)], max);
        const whole = await mergeAll([inputOf('0', a, [100], undefined, d), inputOf('1', b, [100])], 1_000);
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
        const inputs = logs.map((log, input) => inputOf(String(input), log, pollA, undefined, 20));
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
    expect(whole.position).toEqual({ offset: 6, mergeTimeMs: 30 });
    const { order: rest } = await mergeAll([inputOf('0', log, [2], { offset: 4, mergeTimeMs: 9 })], 100);
    expect(rest).toEqual(['0@4', '0@5']);
  });

  it('reports the position of what was merged, not of what was read ahead', async () => {
    const ahead = inputOf('0', [1, 2, 3, 50], [4]);
    const behind = inputOf('1', [2, 60], [1]);
    await Promise.all([ahead.fill(10), behind.fill(10)]);
    mergeRound([ahead, behind], 100, eventTimeOf([ahead, behind]));
    expect(ahead.position.offset).toBe(2);
    expect(behind.position.offset).toBe(1);
  });
});

describe('the merge, with wrong times among the right ones', () => {
  const far = 4_102_444_800_000; // 2100
  const ticksOf = async (...logs: (readonly number[])[]) => {
    const { order, ticks } = await mergeAll(
      logs.map((log, input) => inputOf(String(input), log, [100])),
      1_000,
    );
    return { order, watermarks: ticks.map(({ watermarkMs }) => watermarkMs) };
  };

  it('is the same however the logs were polled and cut into rounds, and goes on from any position', async () => {
    const wild = fc.array(fc.oneof({ weight: 9, arbitrary: fc.integer({ min: 0, max: 200 }) }, fc.constant(far)), {
      maxLength: 40,
    });
    await fc.assert(
      fc.asyncProperty(wild, wild, polls, fc.integer({ min: 1, max: 9 }), async (a, b, pollA, max) => {
        const cut = await mergeAll([inputOf('0', a, pollA), inputOf('1', b)], max);
        const whole = await mergeAll([inputOf('0', a, [100]), inputOf('1', b, [100])], 1_000);
        expect(cut).toEqual(whole);

        const first = [inputOf('0', a, pollA), inputOf('1', b)];
        await Promise.all(first.map((input) => input.fill(20)));
        const time = eventTimeOf(first);
        const round = mergeRound(first, max, time);
        const positions = first.map(({ position }) => structuredClone(position));
        const rest = await mergeAll([inputOf('0', a, pollA, positions[0]), inputOf('1', b, [4], positions[1])], max);
        const ticks = round?.ticks.map(({ watermarkMs, origin }) => ({
          watermarkMs,
          at: `${origin.topic}@${origin.offset}`,
        }));
        expect([...(ticks ?? []), ...rest.ticks]).toEqual(whole.ticks);
        expect(rest.order).toEqual(whole.order.slice(round?.records ?? 0));
      }),
      { numRuns: 300 },
    );
  });

  it('raises the watermark for no two of them, wherever they stand', async () => {
    const right = [10, 20, 30, 40, 50, 60];
    for (let at = 0; at <= right.length; at++) {
      const { watermarks } = await ticksOf([...right.slice(0, at), far, far + 1, ...right.slice(at)]);
      expect(Math.max(...watermarks)).toBe(60);
    }
  });

  it('does not let those at the end of one run harm the next', async () => {
    const log = [10, 20, 30, far, far + 1, far + 2];
    const first = inputOf('0', log, [100]);
    await mergeAll([first], 100);
    expect(first.position).toMatchObject({ offset: 6, mergeTimeMs: 30 });
    const next = await mergeAll([inputOf('0', [...log, far, 40, far, 50], [100], first.position)], 100);
    expect(next.ticks.map(({ watermarkMs }) => watermarkMs)).toEqual([40, 50]);
  });

  it('follows after ten of them, counted over restarts', async () => {
    const log = [10, 20, 30, ...Array.from({ length: 10 }, (_, i) => far + i)];
    let position: Position | undefined;
    for (let end = 1; end <= log.length; end++) {
      const input = inputOf('0', log.slice(0, end), [100], position);
      await mergeAll([input], 100);
      position = structuredClone(input.position);
      expect(position.mergeTimeMs).toBe(end < 3 ? BEFORE_ALL_MS : end < log.length ? 30 : far + 9);
    }
    expect(position).toEqual({ offset: log.length, mergeTimeMs: far + 9 });
  });

  it('does not keep a log back that begins with one', async () => {
    const { order, watermarks } = await ticksOf([far, 11, 31, 51, 71], [10, 20, 30, 40, 50, 60]);
    expect(order.join(' ')).toBe('1@0 0@0 0@1 1@1 1@2 0@2 1@3 1@4 0@3 1@5 0@4');
    expect(Math.max(...watermarks)).toBe(71);
    // A day ahead is not far: such a log waits for its turn.
    const day = 86_400_000;
    expect((await ticksOf([day + 1, day + 2], [0, 1, 2])).order).toEqual(['1@0', '1@1', '1@2', '0@0', '0@1']);
    expect((await ticksOf([day + 2, day + 3], [0, 1, 2])).order).toEqual(['1@0', '0@0', '0@1', '1@1', '1@2']);
    expect((await ticksOf([0, far, far + 10, far + 20], [far + 5, far + 15])).order).toEqual([
      '0@0',
      '0@1',
      '1@0',
      '0@2',
      '1@1',
      '0@3',
    ]);
  });
});
