import { describe, expect, test } from 'vitest';
import { type Demand, type Outcome, overload } from './overload.js';

/** 13 ms for 8 rows, the fastest size; and one that is a hundred times as cheap. */
const dear = [1, 2, 4, 8].map((rows, i) => ({ rows, ms: [6, 7, 9, 13][i] as number }));
const cheap = dear.map(({ rows, ms }) => ({ rows, ms: ms / 100 }));
const trees = [1, 2, 4, 8, 16, 64, 256, 1_024].map((rows, i) => ({
  rows,
  ms: [0.035, 0.05, 0.06, 0.077, 0.2, 0.947, 4.06, 14.5][i] as number,
}));

/** `waitMax` and four times what 99 of 100 batches of the best size take at most. */
const deadlineOf = (bestMs: number, waitMax: number) => waitMax + 4 * (1.2 * bestMs + 0.03);

describe.each([
  ['a model that takes 13 ms a batch', dear, 8, 13, 10_000],
  ['a model that is the fastest at 8 of 1,024 rows', trees, 1_024, 0.077, 200],
] as const)('half as many rows again as can be scored, for %s', (_, points, batchMax, bestMs, forMs) => {
  const demand: Demand = {
    ...{ points, batchMax, waitMax: 5, shares: { high: 0.5, normal: 0.5, low: 0.5 } },
    deadlineMs: deadlineOf(bestMs, 5),
  };

  test('are in time in the highest tier, and left to others in time from the lowest on; none starves, and few wait', async () => {
    const [outcome] = (await overload([demand], forMs, 1)) as [Outcome];
    const { high, normal, low } = outcome.tiers;
    expect(high.inTime / high.asked).toBeGreaterThan(0.99);
    expect(normal.inTime / normal.asked).toBeGreaterThan(0.6);
    expect(low.inTime / low.asked).toBeGreaterThan(0.05);
    expect(low.inTime / low.asked).toBeLessThan(normal.inTime / normal.asked);
    // Whoever answers, it is in time.
    for (const { asked, inTime, shed, shedLate } of [high, normal, low])
      expect((inTime + shed - shedLate) / asked).toBeGreaterThan(0.95);
    // As many as can be scored within the deadline, and a batch.
    expect(outcome.waitedMax).toBeLessThan((2 * (demand.deadlineMs as number) * 8) / bestMs + 16);
    // The worker is not less busy for that.
    expect(outcome.workerMs).toBeGreaterThan(0.9 * forMs * (bestMs / (bestMs + 0.03)));
  });
});

test('without deadlines, tiers get their share of the rows, and none starves', async () => {
  const demand: Demand = { points: dear, batchMax: 8, waitMax: 5, shares: { high: 1, normal: 1, low: 1 } };
  // So short that no row waits for long: by age they would gain.
  const [outcome] = (await overload([demand], 1_500, 2)) as [Outcome];
  const { high, normal, low } = outcome.tiers;
  const scored = high.scored + normal.scored + low.scored;
  expect(high.scored / scored).toBeGreaterThan(0.55);
  expect(normal.scored / scored).toBeGreaterThan(0.15);
  expect(low.scored / scored).toBeGreaterThan(0.04);
  expect(low.scored / scored).toBeLessThan(normal.scored / scored);
});

test.each([
  [1, 1],
  [3, 1],
  [1, 4],
])(
  'two models of which one takes a hundred times as long share a worker by the weights %d and %d',
  async (one, other) => {
    const common = { batchMax: 8, waitMax: 5, shares: { normal: 1.5 }, deadlineMs: 500, rowsACall: 8 };
    const [first, second] = await overload(
      [
        { ...common, points: dear, weight: one },
        { ...common, points: cheap, weight: other, rowsACall: 64 },
      ],
      4_000,
      3,
    );
    const [a, b] = [first?.workerMs as number, second?.workerMs as number];
    const share = one / (one + other);
    expect(a / (a + b)).toBeGreaterThan(share * 0.9);
    expect(a / (a + b)).toBeLessThan(share * 1.1);
  },
);
