import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { millis, stateful } from '../../src/core/index.js';
import { filter } from '../../src/operators/index.js';
import { runTopology } from '../../src/runtime/index.js';
import { ClockTicks } from '../../src/runtime/ticks.js';
import { mapCell } from '../../src/state/index.js';
import { MemoryProfile } from '../../src/testing/memory-profile.js';
import { VirtualClock } from '../../src/testing/virtual-clock.js';
import { topology } from '../../src/topology/index.js';
import { memorySink, memorySource, noInference } from '../memory.js';

interface Event {
  readonly timeMs: number;
  readonly counts: boolean;
}
interface Total {
  readonly start: number;
  readonly sum: number;
}

const DISORDER_MS = 15;
const source = memorySource<Event>('events', ({ timeMs }) => timeMs, { outOfOrdernessMax: millis(DISORDER_MS) });

/** The least that needs event time: sums over slices of time, told when the slice is over. */
const cells = { sums: mapCell<number, number>() };
const sumEvery = <T>(spanMs: number, amount: (value: T) => number) =>
  stateful<T, Total, typeof cells>({
    kind: 'sum-every',
    cells,
    open: ({ sums }, context) => ({
      onRecord(_, value, _emit, { eventTimeMs }) {
        const start = Math.floor(eventTimeMs / spanMs) * spanMs;
        if (start + spanMs <= context.watermarkMs) return context.deadLetter('late', `${eventTimeMs}`);
        sums.set(start, (sums.get(start) ?? 0) + amount(value));
      },
      onWatermark(watermarkMs, emit) {
        for (const start of [...sums.keys()].sort((a, b) => a - b)) {
          if (start + spanMs > watermarkMs) return;
          emit({ start, sum: sums.get(start) ?? 0 }, start + spanMs - 1);
          sums.delete(start);
        }
      },
    }),
  });

const nested = topology('nested', { deadLetters: memorySink() }, (t) => {
  t.source('events', source)
    // What is filtered out moves event time all the same.
    .via(
      'only',
      filter((event) => event.counts),
    )
    .via(
      'tens',
      sumEvery<Event>(10, () => 1),
    )
    .via(
      'thirties',
      sumEvery<Total>(30, (total) => total.sum),
    )
    .to('out', memorySink());
});

async function totals(events: readonly Event[], roundMax: number, cut: number): Promise<readonly unknown[]> {
  const profile = new MemoryProfile(1);
  const run = async (some: readonly Event[], final: boolean) => {
    const records = some.map((event) => ({
      key: null,
      value: new TextEncoder().encode(JSON.stringify(event)),
      timestampMs: event.timeMs,
    }));
    profile.append('events', 0, records);
    const clock = new VirtualClock();
    await (await runTopology(nested, { profile, inference: noInference, clock, bounded: true, final, roundMax }))
      .finished;
  };
  await run(events.slice(0, cut), false);
  await run(events.slice(cut), true);
  expect(profile.outputOf('$dead-letters')).toEqual([]);
  return profile.outputOf('out').map(({ value }) => value);
}

describe('ticks', () => {
  it('close windows of windows exactly once and in time, wherever rounds and runs are cut', async () => {
    const log = fc.array(
      fc.tuple(fc.integer({ min: 0, max: 12 }), fc.integer({ min: 0, max: DISORDER_MS }), fc.boolean()),
      {
        maxLength: 30,
      },
    );
    await fc.assert(
      fc.asyncProperty(
        log,
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: 0, max: 30 }),
        async (steps, max, cut) => {
          let nowMs = 1_000;
          const events = steps.map(([rise, trail, counts]): Event => {
            nowMs += rise;
            return { timeMs: nowMs - trail, counts };
          });
          const sums = new Map<number, number>();
          for (const { timeMs, counts } of events) {
            const start = Math.floor(timeMs / 30) * 30;
            if (counts) sums.set(start, (sums.get(start) ?? 0) + 1);
          }
          const expected = [...sums].map(([start, sum]) => ({ start, sum })).sort((a, b) => a.start - b.start);
          expect(await totals(events, max, cut)).toEqual(expected);
        },
      ),
      { numRuns: 100 },
    );
  });
});

describe('ticks of processing time', () => {
  const every = (ms: number) =>
    stateful({ kind: 'timed', processingTimeInterval: millis(ms), cells: {}, open: () => ({ onRecord: () => {} }) });
  const timed = topology('timed', { deadLetters: memorySink() }, (t) => {
    const events = t.source('events', source);
    events.via('slow', every(70)).to('a', memorySink());
    events.via('quick', every(20)).to('b', memorySink());
  });

  it('come in the shortest interval of a step, and not before the first has passed', () => {
    const ticks = new ClockTicks(timed, 4, {}, 1_000);
    expect([ticks.isDue(1_019), ticks.isDue(1_020), ticks.decisions]).toEqual([false, true, {}]);
    const round = ticks.next(1_025, -5);
    const origin = { topic: '$clock', partition: 4, offset: 1_025, receivedAtMs: 1_025, eventTimeMs: 0 };
    expect(round).toMatchObject({ records: 1, ticks: [{ watermarkMs: -5, clockMs: 1_025, origin }] });
    expect([ticks.isDue(1_044), ticks.isDue(1_045), ticks.decisions]).toEqual([false, true, { clockMs: 1_025 }]);
  });

  it('never go back, whatever the clock of the next owner says', () => {
    const ticks = new ClockTicks(timed, 0, { clockMs: 9_000 }, 1_000);
    expect([1_020, 1_040, 9_500].map((nowMs) => ticks.next(nowMs, 7).ticks[0]?.clockMs)).toEqual([9_001, 9_002, 9_500]);
  });

  it('go on at their interval where the clock is set back', () => {
    const ticks = new ClockTicks(timed, 0, {}, 9_000);
    expect([ticks.isDue(1_000), ticks.isDue(1_019), ticks.isDue(1_020)]).toEqual([false, false, true]);
  });

  it('come at the end of a run where an interval has passed since the last one of any run', () => {
    expect(new ClockTicks(timed, 0, {}, 1_000).isDueAtEnd(1_000)).toBe(true);
    const ticks = new ClockTicks(timed, 0, { clockMs: 990 }, 1_000);
    expect([ticks.isDueAtEnd(1_009), ticks.isDueAtEnd(1_010)]).toEqual([false, true]);
    const never = new ClockTicks(nested, 0, {}, 1_000);
    expect([never.isDue(Number.MAX_SAFE_INTEGER), never.isDueAtEnd(Number.MAX_SAFE_INTEGER)]).toEqual([false, false]);
  });
});
