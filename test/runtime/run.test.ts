import { describe, expect, it } from 'vitest';
import { count } from '../../src/aggregates/index.js';
import {
  type MetricRow,
  type MillraceError,
  millis,
  type Operator,
  type Profile,
  type SourceDriver,
  stateful,
} from '../../src/core/index.js';
import { map, route, splitLate, window } from '../../src/operators/index.js';
import { runTopology } from '../../src/runtime/index.js';
import { MemoryProfile } from '../../src/testing/memory-profile.js';
import { VirtualClock } from '../../src/testing/virtual-clock.js';
import { type Stream, topology } from '../../src/topology/index.js';
import { tumbling } from '../../src/window.js';
import { memorySink, memorySource, noInference } from '../memory.js';

// That nothing is lost or doubled by crashes is the simulation's business: test/sim.

interface Event {
  readonly n: number;
  readonly timeMs: number;
}

const source = (topic: string) => memorySource<Event>(topic, ({ timeMs }) => timeMs);

function append(profile: MemoryProfile, topic: string, count: number, everyMs: number): void {
  const events = Array.from({ length: count }, (_, n): Event => ({ n, timeMs: n * everyMs }));
  profile.append(
    topic,
    0,
    events.map((value) => ({
      key: null,
      value: new TextEncoder().encode(JSON.stringify(value)),
      timestampMs: value.timeMs,
    })),
  );
}

const boom = (): never => {
  throw new TypeError('nothing here');
};
const counts = window({ key: boom, window: tumbling(millis(5)), aggregate: { n: count() }, keysMax: 1 });

describe('a run', () => {
  it('has no more records on their way than a step of large ones allows', async () => {
    const profile = new MemoryProfile(1);
    append(profile, 'photos', 500, 1);
    let onTheWay = 0;
    let most = 0;
    const decode: Operator<Event, Event> = {
      kind: 'decode',
      settings: {},
      shape: {
        shape: 'batched',
        inFlightMax: 10,
        open: async () => ({
          async onBatch(values) {
            onTheWay += values.length;
            most = Math.max(most, onTheWay);
            await new Promise((resolve) => setTimeout(resolve, 1));
            onTheWay -= values.length;
            return values;
          },
        }),
      },
    };
    const photos = topology('photos', { deadLetters: memorySink() }, (t) => {
      t.source('photos', source('photos')).via('decode', decode).to('out', memorySink());
    });
    const running = await runTopology(photos, {
      profile,
      inference: noInference,
      bounded: true,
      clock: new VirtualClock(),
    });
    await running.finished;
    expect(profile.outputOf('out')).toHaveLength(500);
    // A round is pushed while there are fewer than ten, and has ten at most.
    expect(most).toBeGreaterThan(1);
    expect(most).toBeLessThan(20);
  });

  it.each<[string, (events: Stream<Event>) => readonly Stream<unknown>[]]>([
    ['a step', (events) => [events.via('boom', map(boom))]],
    [
      'a split',
      (events) => Object.values(events.split('boom', route<Event, { all: (event: Event) => boolean }>({ all: boom }))),
    ],
    ['a step with state', (events) => [events.via('boom', counts)]],
    ['a split with state', (events) => Object.values(events.split('boom', splitLate(counts)))],
  ])('stops with the cause, the step and the record when %s throws', async (_, fails) => {
    const profile = new MemoryProfile(1);
    append(profile, 'events', 1, 1);
    const broken = topology('broken', { deadLetters: memorySink() }, (t) => {
      for (const [index, results] of fails(t.source('events', source('events'))).entries())
        results.to(`out-${index}`, memorySink());
    });
    const running = await runTopology(broken, {
      profile,
      inference: noInference,
      bounded: true,
      clock: new VirtualClock(),
    });
    const error = await running.finished.then(
      () => undefined,
      (cause: unknown) => cause as MillraceError,
    );
    expect(error).toMatchObject({ code: 'step', where: 'boom' });
    expect(error?.message).toContain('events[0]@0');
    expect(profile.outputOf('out-0')).toEqual([]);
  });

  it.each([
    ['0 before two records agree about the time', 2, 0],
    ['the hour of the watermark', 4, 10_800_000],
  ])('gives counters as metrics an event time: %s', async (_, count, eventTimeMs) => {
    const profile = new MemoryProfile(1);
    append(profile, 'events', count, 3_700_000);
    const counted = topology('counted', { deadLetters: memorySink(), metrics: [memorySink(), memorySink()] }, (t) => {
      t.source('events', source('events')).to('out', memorySink());
    });
    const running = await runTopology(counted, {
      profile,
      inference: noInference,
      bounded: true,
      clock: new VirtualClock(),
    });
    await running.finished;
    const rows = profile.outputOf('$metrics').map(({ value }) => value as MetricRow);
    expect(profile.outputOf('$metrics-2').map(({ value }) => value)).toEqual(rows);
    expect(rows.find(({ name }) => name === 'counter:read')).toMatchObject({
      step: 'events',
      value: count,
      eventTimeMs,
      slice: '',
      version: '',
    });
  });

  it('waits for a quiet input without keeping the process from reading it', async () => {
    const profile = new MemoryProfile(1);
    append(profile, 'quick', 100, 3);
    append(profile, 'slow', 300, 1);
    const { kafka: memory } = profile.sources;
    let asked = 0;
    const slow: Profile = {
      name: 'slow',
      schemas: profile.schemas,
      openLedger: (task) => profile.openLedger(task),
      close: () => profile.close(),
      sinks: profile.sinks,
      sources: {
        memory: {
          partitions: async () => 1,
          open: async (of, ...rest) => {
            const reader = await (memory as SourceDriver).open(of, ...rest);
            if (of.topic === 'quick') return reader;
            return {
              ...reader,
              // The other input has long ended; this one answers only after a real turn of the event loop.
              poll: async (recordsMax) => {
                asked += 1;
                await new Promise((resolve) => setTimeout(resolve, 1));
                return reader.poll(Math.min(recordsMax, 40));
              },
            };
          },
        },
      },
    };
    const both = topology('both', { deadLetters: memorySink() }, (t) => {
      const quick = t.source('quick', source('quick'));
      const all = stateful<Event, { quick: Event }, number, Record<never, never>>({
        kind: 'times',
        inputs: ['quick'],
        cells: {},
        open: () => ({ onRecord: (_input, value, emit) => emit((value as Event).timeMs) }),
      });
      t.source('slow', source('slow')).via('times', { quick }, all).to('out', memorySink());
    });
    const running = await runTopology(both, { profile: slow, inference: noInference, bounded: true });
    await running.finished;
    expect(asked).toBeGreaterThan(2);
    const times = profile.outputOf('out').map(({ value }) => value as number);
    expect(times).toHaveLength(400);
    expect(times).toEqual([...times].sort((a, b) => a - b));
  });
});
