import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TaskMeter } from '../../../src/runtime/measures/task-meter.js';

const sink = { kind: 'sink', id: 'out' };
const step = { kind: 'step', id: 'infer' };

describe('TaskMeter', () => {
  it('adds up phases, operations in flight, and those that a blocked task waits for', async () => {
    let now = 100;
    const meter = new TaskMeter(() => now);
    now += 5;
    meter.note(step, true);
    now += 10;
    meter.note(sink, true);
    const blocked = meter.during('blocked', Promise.resolve());
    now += 20;
    meter.note(step, false);
    now += 30;
    await blocked;
    meter.note(sink, false);
    meter.note({ kind: 'quiet', id: 'labels' }, true);
    meter.enter('idle');
    now += 7;
    expect(meter.time(new Map([['map', 3]]))).toEqual({
      totalMs: 72,
      blockedMs: 50,
      idleMs: 7,
      workMs: new Map([['map', 3]]),
      pendingMs: new Map(Object.entries({ infer: 30, out: 50 })),
      waitedMs: new Map(Object.entries({ infer: 20, out: 50 })),
      heldMs: new Map([['labels', 7]]),
    });
  });

  it('does not run when a wait fails, and calls the ledger the checkpoint', async () => {
    let now = 0;
    const meter = new TaskMeter(() => now);
    meter.note({ kind: 'ledger', id: 'commit' }, true);
    const waiting = meter.during('blocked', Promise.reject(new Error('lost')));
    now = 4;
    await expect(waiting).rejects.toThrow('lost');
    now = 6;
    const { blockedMs, waitedMs, totalMs } = meter.time(new Map());
    expect([blockedMs, totalMs, waitedMs.get('$checkpoint')]).toEqual([4, 6, 4]);
  });

  it('has phases that add up to the time, whatever happens, also if a clock goes back', () => {
    const event = fc.record({
      ms: fc.integer({ min: -3, max: 50 }),
      phase: fc.constantFrom('running', 'blocked', 'idle'),
      part: fc.constantFrom(sink, step, { kind: 'source', id: 'in' }, { kind: 'quiet', id: 'in' }),
      isInFlight: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(event, { maxLength: 50 }), (events) => {
        let now = 0;
        let forward = 0;
        const meter = new TaskMeter(() => now);
        for (const { ms, phase, part, isInFlight } of events) {
          now += ms;
          forward += Math.max(0, ms);
          if (ms % 2 === 0) meter.enter(phase);
          else meter.note(part, isInFlight);
        }
        const { totalMs, blockedMs, idleMs, pendingMs, waitedMs } = meter.time(new Map());
        expect(totalMs).toBeLessThanOrEqual(forward);
        expect(blockedMs + idleMs).toBeLessThanOrEqual(totalMs);
        for (const [id, waited] of waitedMs)
          expect(waited).toBeLessThanOrEqual(Math.min(blockedMs, pendingMs.get(id) ?? 0));
        expect(pendingMs.has('in')).toBe(false);
      }),
    );
  });
});
