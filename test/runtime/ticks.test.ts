import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { millis, stateful } from '../../src/core/index.js';
import { filter } from '../../src/operators/index.js';
import { runTopology } from '../../src/runtime/index.js';
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
