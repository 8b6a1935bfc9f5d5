import { describe, expect, it } from 'vitest';
import {
  type InferenceService,
  type Joint,
  joint,
  type MillraceError,
  type Operator,
  type Profile,
  type Sink,
  type Source,
  type SourceDriver,
  type StepContext,
  transform,
} from '../../src/core/index.js';
import { runTopology } from '../../src/runtime/index.js';
import { mapCell, valueCell } from '../../src/state/index.js';
import { MemoryProfile } from '../../src/testing/memory-profile.js';
import { VirtualClock } from '../../src/testing/virtual-clock.js';
import { topology } from '../../src/topology/index.js';
import { generator } from '../random.js';

interface Event {
  readonly key: string;
  readonly timeMs: number;
  readonly amount: number;
}
interface Rate {
  readonly key: string;
  readonly timeMs: number;
  readonly factor: number;
}
interface Total {
  readonly key: string;
  readonly timeMs: number;
  readonly total: number;
  readonly seen: number;
}

const sourceOf = <T extends { timeMs: number }>(topic: string): Source<T> => ({
  connector: 'memory',
  kind: 'memory.source',
  topic,
  schema: { format: 'json', subject: topic, definition: undefined },
  settings: {},
  eventTimeOf: (value) => (value as T).timeMs,
});
const sinkOf = <T>(): Sink<T> => ({ connector: 'memory', kind: 'memory.sink', settings: {}, options: {} });

/** A running total by key at the newest rate, with a count over all keys: no dedupe, so every replay would show. */
const totals = (): Joint<Event, { rates: Rate }, Total> =>
  joint({
    kind: 'totals',
    sides: ['rates'],
    cells: {
      totals: mapCell<string, number>({}),
      rates: mapCell<string, number>({}),
      seen: valueCell<number>({ initial: 0 }),
    },
    open: (cells, context: StepContext) => {
      const counter = context.counter('totalled');
      return {
        onRecord(input, value, emit) {
          if (input === 1) {
            const rate = value as Rate;
            cells.rates.set(rate.key, rate.factor, rate.timeMs);
            return;
          }
          const event = value as Event;
          if (event.amount === 13) return context.deadLetter('unlucky', 'thirteen');
          const total = (cells.totals.get(event.key) ?? 0) + event.amount * (cells.rates.get(event.key) ?? 1);
          cells.totals.set(event.key, total, event.timeMs);
          cells.seen.set(cells.seen.get() + 1);
          counter.add();
          emit({ key: event.key, timeMs: event.timeMs, total, seen: cells.seen.get() });
        },
      };
    },
  });

/** Answers after a random number of turns of the event loop, in pieces of its own choosing. */
const slowly = (random: () => number): Operator<Total, Total> => ({
  kind: 'slowly',
  settings: {},
  shape: {
    shape: 'batched' as const,
    open: async () => ({
      onBatch: async (values: readonly unknown[]) => {
        for (let turns = Math.floor(random() * 4); turns > 0; turns--)
          await new Promise((resolve) => setImmediate(resolve));
        return values;
      },
    }),
  },
});

const flow = (random: () => number) =>
  topology('totals', { deadLetters: sinkOf() }, (t) => {
    const rates = t.source('rates', sourceOf<Rate>('rates'));
    const doubled = t
      .source('events', sourceOf<Event>('events'))
      .via(
        'twice',
        transform<Event, Event>({
          kind: 'twice',
          open: () => (event, emit) => {
            emit(event);
            emit({ ...event, amount: 1 });
          },
        }),
      )
      .via('totals', { rates }, totals())
      .via('slowly', slowly(random));
    doubled.to('out', sinkOf<Total>());
  });

const inference: InferenceService = {
  open: async () => {
    throw new Error('no model here');
  },
  close: async () => undefined,
};

const bytes = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));

function fill(profile: MemoryProfile, random: () => number): { events: Event[]; rates: Rate[] } {
  const events: Event[] = [];
  const rates: Rate[] = [];
  let timeMs = 0;
  for (let i = 0; i < 400; i++) {
    timeMs += Math.floor(random() * 5);
    const key = `k${Math.floor(random() * 7)}`;
    if (random() < 0.3) rates.push({ key, timeMs, factor: 1 + Math.floor(random() * 3) });
    else events.push({ key, timeMs, amount: Math.floor(random() * 20) });
  }
  const log = (values: readonly (Event | Rate)[]) =>
    values.map((value) => ({ key: null, value: bytes(value), timestampMs: value.timeMs }));
  profile.append('events', 0, log(events));
  profile.append('rates', 0, log(rates));
  return { events, rates };
}

/** The same work as a plain loop over both logs. */
function plainLoop(events: readonly Event[], rates: readonly Rate[]): { totals: Total[]; dead: number } {
  // Inputs stand in the order in which the topology names them: rates first.
  const merged = [
    ...rates.map((value, i) => ({ value, input: 0, i })),
    ...events.map((value, i) => ({ value, input: 1, i })),
  ];
  merged.sort((a, b) => a.value.timeMs - b.value.timeMs || a.input - b.input || a.i - b.i);
  const factor = new Map<string, number>();
  const sums = new Map<string, number>();
  const totals: Total[] = [];
  let dead = 0;
  for (const { value } of merged) {
    if ('factor' in value) {
      factor.set(value.key, value.factor);
      continue;
    }
    for (const amount of [value.amount, 1]) {
      if (amount === 13) {
        dead += 1;
        continue;
      }
      const total = (sums.get(value.key) ?? 0) + amount * (factor.get(value.key) ?? 1);
      sums.set(value.key, total);
      totals.push({ key: value.key, timeMs: value.timeMs, total, seen: totals.length + 1 });
    }
  }
  return { totals, dead };
}

class Crash extends Error {}

/** Runs to the end, crashing at random points of rounds and epochs and starting anew each time. */
async function runCrashing(profile: MemoryProfile, random: () => number, crashes: number) {
  let left = crashes;
  for (;;) {
    const clock = new VirtualClock();
    const running = await runTopology(flow(random), {
      profile,
      inference,
      bounded: true,
      clock,
      roundMax: 1 + Math.floor(random() * 40),
      inFlightMax: 1 + Math.floor(random() * 100),
      onPoint: () => {
        clock.advance(Math.floor(random() * 300));
        if (left > 0 && random() < 0.08) {
          left -= 1;
          throw new Crash();
        }
      },
    });
    try {
      await running.finished;
      return running.snapshot();
    } catch (error) {
      if (!(error instanceof Crash)) throw error;
    }
  }
}

describe('exactly once, by the simulated log', () => {
  it.each(Array.from({ length: 60 }, (_, seed) => seed))('crashes change nothing: seed %i', async (seed) => {
    const random = generator(seed);
    const profile = new MemoryProfile(1);
    const { events, rates } = fill(profile, random);
    const expected = plainLoop(events, rates);
    const snapshot = await runCrashing(profile, random, 12);
    expect(profile.outputOf('out').map(({ value }) => value)).toEqual(expected.totals);
    expect(profile.outputOf('$dead-letters')).toHaveLength(expected.dead);
    const counted = snapshot.counters.find(({ step, name }) => step === 'totals' && name === 'totalled');
    expect(counted?.value).toBe(expected.totals.length);
  });

  it('stops with the cause, the step and the record when a step throws', async () => {
    const profile = new MemoryProfile(1);
    profile.append('events', 0, [{ key: null, value: bytes({ key: 'a', timeMs: 1, amount: 2 }), timestampMs: 1 }]);
    const broken = topology('broken', { deadLetters: sinkOf() }, (t) => {
      t.source('events', sourceOf<Event>('events'))
        .via(
          'boom',
          transform<Event, Event>({
            kind: 'boom',
            open: () => () => {
              throw new TypeError('nothing here');
            },
          }),
        )
        .to('out', sinkOf<Event>());
    });
    const running = await runTopology(broken, { profile, inference, bounded: true, clock: new VirtualClock() });
    const error = await running.finished.then(
      () => undefined,
      (cause: unknown) => cause as MillraceError,
    );
    expect(error).toMatchObject({ code: 'step', where: 'boom' });
    expect(error?.message).toContain('events[0]@0');
    expect(profile.outputOf('out')).toEqual([]);
  });

  it('waits for a quiet input without keeping the process from reading it', async () => {
    const profile = new MemoryProfile(1);
    fill(profile, generator(1));
    const { kafka: memory } = profile.sources;
    let asked = 0;
    const slow: Profile = {
      ...profile,
      schemas: profile.schemas,
      openLedger: (task) => profile.openLedger(task),
      close: () => profile.close(),
      sinks: profile.sinks,
      sources: {
        memory: {
          partitions: async () => 1,
          open: async (source, ...rest) => {
            const reader = await (memory as SourceDriver).open(source, ...rest);
            if (source.topic === 'rates') return reader;
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
    const running = await runTopology(flow(generator(2)), { profile: slow, inference, bounded: true });
    await running.finished;
    expect(asked).toBeGreaterThan(2);
    expect(profile.outputOf('out').length).toBeGreaterThan(400);
  });
});
