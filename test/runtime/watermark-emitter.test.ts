import { describe, expect, it } from 'vitest';
import type { SinkWriter, WatermarkMarker } from '../../src/core/index.js';
import { WatermarkEmitter } from '../../src/runtime/watermark-emitter.js';

function outletOf(idleTimeout: readonly (number | undefined)[]) {
  const marks: WatermarkMarker[] = [];
  const writer: SinkWriter = { write: () => undefined, mark: (mark) => marks.push(mark), close: async () => undefined };
  const outlet = new WatermarkEmitter(
    { task: 1, tasks: 3 },
    idleTimeout.map(() => writer),
    idleTimeout,
    1_000,
  );
  return { outlet, marks };
}

describe('an outlet', () => {
  it('tells every next subtopology how far the task has come', () => {
    const { outlet, marks } = outletOf([undefined, undefined]);
    outlet.onRound(1_010);
    outlet.mark(77);
    const mark = { task: 1, tasks: 3, watermarkMs: 77, idle: false };
    expect(marks).toEqual([mark, mark]);
    expect(outlet.isQuiet(1e12)).toBe(false);
  });

  it('says once that nothing comes in, after the shortest time that one of them waits', () => {
    const { outlet, marks } = outletOf([undefined, 500, 300]);
    expect(outlet.isQuiet(1_299)).toBe(false);
    expect(outlet.isQuiet(1_300)).toBe(true);
    expect(outlet.isDue).toBe(true);
    outlet.mark(5);
    expect(marks.map(({ idle }) => idle)).toEqual([true, true, true]);
    expect(outlet.isQuiet(9_000)).toBe(false);

    // Until something comes in: the next mark takes it back, and the time begins anew.
    outlet.onRound(9_100);
    expect(outlet.isDue).toBe(false);
    outlet.mark(6);
    expect(marks.at(-1)).toEqual({ task: 1, tasks: 3, watermarkMs: 6, idle: false });
    expect(outlet.isQuiet(9_399)).toBe(false);
    expect(outlet.isQuiet(9_400)).toBe(true);
  });

  it('of a task without next subtopologies is never due', () => {
    const { outlet } = outletOf([]);
    expect(outlet.isQuiet(1e12)).toBe(false);
    expect(outlet.isDue).toBe(false);
  });
});
