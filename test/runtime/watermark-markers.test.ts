import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  BEFORE_ALL_MS,
  internalEventTime,
  internalRecord,
  markerOf,
  markRecord,
  type SinkWriter,
  type WatermarkMarker,
} from '../../src/core/index.js';
import { eventTimeOf, mergeRound } from '../../src/runtime/merge.js';
import { lowestOf, WatermarkEmitter, withMarker } from '../../src/runtime/watermark-markers.js';
import { inputOf, markedInput, mergeAll, type Placed } from './inputs.js';

const mark = (task: number, watermarkMs: number, idle = false, tasks = 2): WatermarkMarker => ({
  task,
  tasks,
  watermarkMs,
  idle,
});

/** What two tasks write into one partition: each its own records in order, and marks that keep their word. */
const interleaved = fc
  .array(fc.tuple(fc.constantFrom(0, 1), fc.integer({ min: 0, max: 9 }), fc.boolean()), { maxLength: 40 })
  .map((steps): Placed[] => {
    const nowMs = [100, 100];
    return steps.map(([task, rise, isMark]) => {
      nowMs[task] = (nowMs[task] ?? 0) + rise;
      return isMark ? mark(task, nowMs[task] ?? 0) : (nowMs[task] ?? 0);
    });
  });
const times = fc.array(fc.integer({ min: 90, max: 250 }), { maxLength: 30 });
const polls = fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1, maxLength: 4 });

describe('marks', () => {
  it('tell the lowest watermark of those that are not idle, once all were heard of', () => {
    let marks = withMarker(undefined, mark(0, 50));
    expect(lowestOf(marks)).toBe(BEFORE_ALL_MS);
    marks = withMarker(marks, mark(1, 30));
    expect(lowestOf(marks)).toBe(30);
    marks = withMarker(marks, mark(1, 40, true));
    expect(lowestOf(marks)).toBe(50);
    expect(lowestOf(withMarker(marks, mark(0, 60, true)))).toBe(BEFORE_ALL_MS);
    expect(lowestOf(withMarker(marks, mark(0, 60, false, 3)))).toBe(BEFORE_ALL_MS);
  });

  it('and event times go through a log unchanged, whatever they are', () => {
    const anyTime = fc
      .oneof(fc.double(), fc.integer(), fc.integer({ min: 0, max: 2_000_000_000_000 }))
      .filter((timeMs) => !Object.is(timeMs, -0));
    fc.assert(
      fc.property(anyTime, fc.integer({ min: 0, max: 2_000_000_000_000 }), (eventTimeMs, nowMs) => {
        const record = internalRecord(new Uint8Array([1]), new Uint8Array([2]), eventTimeMs, nowMs);
        expect(record.timestampMs).toBeLessThanOrEqual(nowMs);
        expect(record.timestampMs).toBeGreaterThanOrEqual(0);
        expect(internalEventTime(record)).toBe(eventTimeMs);
        expect(markerOf(record)).toBeUndefined();
      }),
    );
    // Of no time: a log may refuse times ahead of its clock, and the one here may be wrong.
    expect(markRecord(mark(3, 8.64e15)).timestampMs).toBe(0);
    expect(markerOf(markRecord(mark(3, -8.64e15, true, 7)))).toEqual(mark(3, -8.64e15, true, 7));
    expect(markerOf({ value: null, headers: [['other', new Uint8Array()]] })).toBeUndefined();
  });
});

describe('an input with marks', () => {
  it('is merged in the same order with the same watermarks, however it was polled and cut into rounds', async () => {
    await fc.assert(
      fc.asyncProperty(
        interleaved,
        times,
        polls,
        fc.integer({ min: 1, max: 9 }),
        async (placed, b, pollA, roundMax) => {
          const cut = await mergeAll([markedInput('0', placed, pollA), inputOf('1', b, pollA)], roundMax);
          const whole = await mergeAll([markedInput('0', placed, [100]), inputOf('1', b, [100])], 1_000);
          expect(cut).toEqual(whole);
        },
      ),
      { numRuns: 200 },
    );
  });

  it('never calls a record late that its task wrote in time', async () => {
    await fc.assert(
      fc.asyncProperty(interleaved, polls, async (placed, pollA) => {
        const { order, ticks } = await mergeAll([markedInput('0', placed, pollA)], 4);
        const timeOf = (at: string) => placed[Number(at.slice(2))] as number;
        const records = placed.filter((each) => typeof each === 'number');
        expect(order.map(timeOf)).toEqual(records);
        for (const { watermarkMs, at } of ticks)
          for (const later of order.filter((each) => Number(each.slice(2)) > Number(at.slice(2))))
            expect(timeOf(later)).toBeGreaterThanOrEqual(watermarkMs);
      }),
      { numRuns: 200 },
    );
  });

  it('goes on from a position in the middle with what the marks before it said', async () => {
    await fc.assert(
      fc.asyncProperty(interleaved, fc.integer({ min: 1, max: 9 }), async (placed, roundMax) => {
        const first = markedInput('0', placed, [2]);
        const time = eventTimeOf([first]);
        await first.fill(1);
        const round = mergeRound([first], roundMax, time);
        const rest = await mergeAll([markedInput('0', placed, [3], structuredClone(first.position))], 5);
        const whole = await mergeAll([markedInput('0', placed, [3])], 5);
        expect([...(round?.ticks ?? []).map(({ watermarkMs }) => watermarkMs), ...watermarks(rest)]).toEqual(
          watermarks(whole),
        );
      }),
    );
  });

  it('that is quiet does not hold up what is certain to come before it', async () => {
    const quiet = markedInput('0', [mark(0, 50), mark(1, 20)], [2]);
    const other = inputOf('1', [7, 8, 10, 19, 20, 21], [6]);
    await Promise.all([quiet.fill(10), other.fill(10)]);
    Object.defineProperty(quiet, 'ended', { value: false }); // more may follow the marks
    const round = mergeRound([quiet, other], 100, eventTimeOf([quiet, other]));
    expect(round?.shares[1]?.values).toEqual([7, 8, 10, 19].map((timeMs) => ({ timeMs })));
    expect(round?.ticks.map(({ watermarkMs }) => watermarkMs)).toEqual([10, 19, 20]);
  });
});

const watermarks = ({ ticks }: { readonly ticks: readonly { readonly watermarkMs: number }[] }) =>
  ticks.map(({ watermarkMs }) => watermarkMs);

function emitterOf(idleTimeout: readonly (number | undefined)[]) {
  const marks: WatermarkMarker[] = [];
  const writer: SinkWriter = {
    write: () => undefined,
    writeMarker: (mark) => marks.push(mark),
    close: async () => undefined,
  };
  const emitter = new WatermarkEmitter(
    { task: 1, tasks: 3 },
    idleTimeout.map(() => writer),
    idleTimeout,
    1_000,
  );
  return { emitter, marks };
}

/** Whether it is quiet at this time, asked as often as a task with nothing to do asks. */
function quietAt(emitter: WatermarkEmitter, fromMs: number, toMs: number): boolean {
  let isQuiet = false;
  for (let nowMs = fromMs; nowMs <= toMs; nowMs += 25) isQuiet = emitter.isQuiet(nowMs);
  return isQuiet;
}

describe('a watermark emitter', () => {
  it('tells every next sub-topology how far the task has come', () => {
    const { emitter, marks } = emitterOf([undefined, undefined]);
    emitter.onRound(1_010);
    emitter.writeMarkers(77);
    const mark = { task: 1, tasks: 3, watermarkMs: 77, idle: false };
    expect(marks).toEqual([mark, mark]);
    expect(emitter.isQuiet(1e12)).toBe(false);
  });

  it('says once that nothing comes in, after the shortest time that one of them waits', () => {
    const { emitter, marks } = emitterOf([undefined, 500, 300]);
    expect(quietAt(emitter, 1_000, 1_299)).toBe(false);
    expect(emitter.isQuiet(1_300)).toBe(true);
    expect(emitter.isDue).toBe(true);
    emitter.writeMarkers(5);
    expect(marks.map(({ idle }) => idle)).toEqual([true, true, true]);
    expect(emitter.isQuiet(9_000)).toBe(false);

    // Until something comes in: the next mark takes it back, and the time begins anew.
    emitter.onRound(9_100);
    expect(emitter.isDue).toBe(false);
    emitter.writeMarkers(6);
    expect(marks.at(-1)).toEqual({ task: 1, tasks: 3, watermarkMs: 6, idle: false });
    expect(quietAt(emitter, 9_100, 9_399)).toBe(false);
    expect(emitter.isQuiet(9_400)).toBe(true);
  });

  it('says it again after a task has come back for a moment, even if no mark said so between', () => {
    const { emitter, marks } = emitterOf([300]);
    expect(quietAt(emitter, 1_000, 1_300)).toBe(true);
    emitter.writeMarkers(5);
    emitter.onRound(2_000);
    expect(quietAt(emitter, 2_000, 2_299)).toBe(false);
    expect(emitter.isQuiet(2_300)).toBe(true);
    emitter.writeMarkers(6);
    expect(marks.map(({ idle, watermarkMs }) => [idle, watermarkMs])).toEqual([
      [true, 5],
      [true, 6],
    ]);
  });

  it('does not count the time in which the task had no turn to look', () => {
    const { emitter } = emitterOf([300]);
    expect(emitter.isQuiet(30_000)).toBe(false); // it was opened that long
    expect(quietAt(emitter, 30_000, 30_200)).toBe(false);
    expect(quietAt(emitter, 30_200, 30_225)).toBe(true);
  });

  it('of a task without next sub-topologies is never due', () => {
    const { emitter } = emitterOf([]);
    expect(emitter.isQuiet(1e12)).toBe(false);
    expect(emitter.isDue).toBe(false);
  });
});
