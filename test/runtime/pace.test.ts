import { describe, expect, it } from 'vitest';
import type { SourceDriver } from '../../src/core/index.js';
import { type Clock, measuringClock, paceOf, systemClock } from '../../src/runtime/clock.js';
import { runTopology } from '../../src/runtime/index.js';
import { MemoryProfile } from '../../src/testing/memory-profile.js';
import { VirtualClock } from '../../src/testing/virtual-clock.js';
import { topology } from '../../src/topology/index.js';
import { memorySink, memorySource, noInference } from '../memory.js';
import { EventClock } from '../server/event-clock.js';
import { GrowingProfile } from './growing-profile.js';

const copied = topology('copied', { deadLetters: memorySink() }, (t) => {
  t.source(
    'events',
    memorySource<{ timeMs: number }>('events', ({ timeMs }) => timeMs),
  ).to('out', memorySink());
});

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

  it('has rounds of a twentieth of a second, of one record at least', () => {
    const clock = new VirtualClock();
    expect([1_000, 39, 3].map((rate) => paceOf(rate, clock).roundMax)).toEqual([50, 1, 1]);
  });

  it('sleeps no time at all where records are due', async () => {
    const slept: number[] = [];
    const pace = paceOf(10, { now: () => 5_000, sleep: async (ms) => void slept.push(ms) });
    await pace.take(0);
    await pace.take(1);
    expect(slept).toEqual([100]);
  });
});

it('tasks share a pace: each reads ahead its part of a round', async () => {
  const clock = new EventClock();
  const growing = new GrowingProfile(clock);
  for (const partition of [0, 1])
    growing.append(
      'events',
      partition,
      Array.from({ length: 500 }, (_, i) => i),
    );
  const driver = growing.profile.sources.memory as SourceDriver;
  const asked = new Set<number>();
  const watched: SourceDriver = {
    ...driver,
    async open(source, at) {
      const reader = await driver.open(source, at);
      const poll = (recordsMax: number) => reader.poll(asked.add(recordsMax) && recordsMax);
      return { ...reader, poll };
    },
  };
  const profile = { ...growing.profile, sources: { memory: watched } };
  const running = await runTopology(copied, { profile, clock, inference: noInference, recordsPerSecondMax: 1_000 });
  await clock.until(2_500);
  expect(asked).toEqual(new Set([25])); // of two tasks, 50 records in a twentieth of a second
  expect(growing.memory.outputOf('out')).toHaveLength(1_000);
  const stopped = running.stop();
  await clock.until(30_000);
  await stopped;
});

describe('a clock that is set back', () => {
  const HOUR_MS = 3_600_000;

  it('does not stop the pace', async () => {
    let nowMs = HOUR_MS;
    const slept: number[] = [];
    const pace = paceOf(1_000, { now: () => nowMs, sleep: async (ms) => void slept.push(ms) });
    await pace.take(10);
    nowMs -= HOUR_MS;
    await pace.take(10);
    expect(slept).toEqual([10, 20]); // no time has passed
  });

  it('does not stop the epochs', async () => {
    const time = new EventClock();
    const growing = new GrowingProfile(time);
    let shiftMs = HOUR_MS;
    const clock: Clock = {
      now: () => time.now() + shiftMs,
      sleep: (ms) => time.sleep(ms),
      every: () => () => undefined,
    };
    const running = await runTopology(copied, { profile: growing.profile, clock, inference: noInference });
    growing.append('events', 0, [1]);
    await time.until(2_000);
    shiftMs -= HOUR_MS;
    growing.append('events', 0, [2]);
    await time.until(4_000);
    expect(growing.memory.outputOf('out')).toHaveLength(2);
    const stopped = running.stop();
    await time.until(10_000);
    await stopped;
  });
});

it('a stop does not wait for the pace', async () => {
  const profile = new MemoryProfile(1);
  const record = { key: null, value: Buffer.from('{"timeMs":1}'), timestampMs: 1 };
  profile.append('events', 0, [record, record, record]);
  const running = await runTopology(copied, { profile, inference: noInference, recordsPerSecondMax: 0.001 });
  while (running.snapshot().tasks[0]?.uncommittedSinceMs === undefined)
    await new Promise((resolve) => setImmediate(resolve));
  await running.stop();
  expect(profile.outputOf('out')).toHaveLength(1);
});

describe('the system clock', () => {
  it('wakes at once whom a signal wakes, also one that came before', async () => {
    const leaving = new AbortController();
    const sleeping = systemClock.sleep(1_000_000, leaving.signal);
    leaving.abort();
    await sleeping;
    await systemClock.sleep(1_000_000, leaving.signal);
    await systemClock.sleep(1);
  });

  it('ticks until it is told to stop', async () => {
    let ticks = 0;
    await new Promise<void>((resolve) => {
      const stop = systemClock.every(1, () => {
        ticks += 1;
        if (ticks < 3) return;
        stop();
        resolve();
      });
    });
    await systemClock.sleep(20);
    expect(ticks).toBe(3);
  });

  it('measures by what is finer, where there is such a clock', () => {
    expect([measuringClock({ now: () => 1, fine: () => 2 })(), measuringClock({ now: () => 1 })()]).toEqual([2, 1]);
  });
});
