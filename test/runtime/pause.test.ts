import { describe, expect, it } from 'vitest';
import { millis, minutes, seconds } from '../../src/core/index.js';
import { hours, innerJoin } from '../../src/index.js';
import { type Running, runTopology } from '../../src/runtime/index.js';
import { MemoryProfile } from '../../src/testing/memory-profile.js';
import { type Topology, topology } from '../../src/topology/index.js';
import { memorySink, memorySource, noInference } from '../memory.js';
import { EventClock } from '../server/event-clock.js';
import { GrowingProfile } from './growing-profile.js';

interface Event {
  readonly key: string;
  readonly timeMs: number;
}
const source = (topic: string, more = {}) => memorySource<Event>(topic, ({ timeMs }) => timeMs, more);

const copied = topology('copied', { deadLetters: memorySink() }, (t) => {
  t.source('events', source('events')).to('out', memorySink());
});
const joined = topology('joined', { deadLetters: memorySink() }, (t) => {
  const right = t.source('right', source('right', { idleTimeout: minutes(1) }));
  t.source('left', source('left', { idleTimeout: minutes(1) }))
    .via(
      'join',
      { right },
      innerJoin({
        keys: { left: ({ key }) => key, right: ({ key }) => key },
        within: { before: hours(1), after: hours(1) },
        combine: (event) => event,
        entriesMax: 1_000,
      }),
    )
    .to('out', memorySink());
});

const start = (of: Topology, { profile }: GrowingProfile, clock: EventClock) =>
  runTopology(of, { profile, clock, inference: noInference, roundMax: 10, epochInterval: millis(500) });
const atRest = ({ snapshot }: Running) => snapshot().tasks.map((task) => task.isAtRest);
const written = ({ memory }: GrowingProfile) => memory.outputOf('out').length;

async function stopped(running: Running, clock: EventClock): Promise<void> {
  let isOver = false;
  const end = running.stop().then(() => {
    isOver = true;
  });
  while (!isOver) await clock.until(clock.now() + 1_000);
  await end;
}

describe('a run that is paused', () => {
  it('has everything committed that it has read, reads nothing more, and goes on from there', async () => {
    const clock = new EventClock();
    const profile = new GrowingProfile(clock);
    for (const partition of [0, 1]) profile.append('events', partition, [1, 2, 3]);
    const running = await start(copied, profile, clock);
    await clock.until(200); // before the first epoch is due
    expect(written(profile)).toBe(0);
    running.pause();
    await clock.until(400);
    expect(atRest(running)).toEqual([true, true]);
    expect(running.snapshot()).toMatchObject({ isPaused: true });
    expect([0, 1].map((task) => profile.memory.checkpointOf(task)?.positions.events?.offset)).toEqual([3, 3]);

    for (const partition of [0, 1]) profile.append('events', partition, [4, 5]);
    await clock.until(60_000);
    expect(written(profile)).toBe(6);
    running.resume();
    await clock.until(61_000);
    expect(written(profile)).toBe(10);
    expect(atRest(running)).toEqual([false, false]);
    await stopped(running, clock);
  });

  it('can be stopped, and its tasks are at rest then too', async () => {
    const clock = new EventClock();
    const profile = new GrowingProfile(clock);
    profile.append('events', 0, [1]);
    const running = await start(copied, profile, clock);
    running.pause();
    await clock.until(1_000);
    await stopped(running, clock);
    expect(atRest(running)).toEqual([true, true]);
  });

  it('keeps no row that its deferred sinks have, once it is at rest', async () => {
    const clock = new EventClock();
    const profile = new GrowingProfile(clock, 50, new MemoryProfile(2, { table: 'append' }));
    profile.append('events', 0, [1, 2]);
    const deferring = topology('deferring', { deadLetters: memorySink() }, (t) => {
      t.source('events', source('events')).to('out', memorySink({ connector: 'table', deferred: { rowsMax: 10 } }));
    });
    const running = await start(deferring, profile, clock);
    await clock.until(200);
    running.pause();
    await clock.until(1_000);
    expect(atRest(running)).toEqual([true, true]);
    expect(written(profile)).toBe(2);
    const { state } = await (await profile.memory.openLedger({ topology: 'deferring', partition: 0 })).restore();
    expect(state.filter(({ cell }) => cell === 'rows')).toEqual([]);
    await stopped(running, clock);
  });

  it('takes no input for idle that nobody has asked meanwhile', async () => {
    const clock = new EventClock();
    const profile = new GrowingProfile(clock);
    const times = Array.from({ length: 20 }, (_, n) => n);
    profile.append('left', 0, times);
    profile.append('right', 0, times);
    const running = await start(joined, profile, clock);
    await clock.until(1_000);
    const read = () => running.snapshot().tasks[0]?.positions.left?.offset;
    expect(read()).toBe(19);
    running.pause();
    await clock.until(600_000);
    // Without the other input the task must wait: it may have an earlier record.
    profile.append('left', 0, [100, 101]);
    running.resume();
    await clock.until(600_000 + seconds(50));
    expect(read()).toBe(19);
    await clock.until(600_000 + seconds(70));
    expect(read()).toBe(22);
    await stopped(running, clock);
  });
});
