import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Change,
  MillraceError,
  millis,
  type Origin,
  type Profile,
  type Sink,
  type SinkDriver,
  type SinkWriter,
  type Source,
  type StateChange,
  type Upsert,
} from '../../src/core/index.js';
import { outerJoinTables } from '../../src/operators/join/join-tables.js';
import { table } from '../../src/operators/table/table.js';
import { runTopology } from '../../src/runtime/index.js';
import { DeferredSink, SequencedSink } from '../../src/runtime/sinks.js';
import { Counters } from '../../src/runtime/task-state.js';
import { originAt } from '../../src/testing/contract.js';
import { MemoryProfile } from '../../src/testing/memory-profile.js';
import { VirtualClock } from '../../src/testing/virtual-clock.js';
import { rescaleTasks, topology } from '../../src/topology/index.js';
import { foldOf } from '../changes.js';
import { noInference } from '../memory.js';

describe('NumberedSink', () => {
  const open = () => {
    const given: Origin[] = [];
    const sink = new SequencedSink({
      write: (_, origins) => void given.push(...origins),
      close: async () => undefined,
    });
    return { sink, given };
  };

  it('numbers what it is given, whatever it comes from, and goes on from the checkpoint', () => {
    const { sink, given } = open();
    sink.write(['a', 'b'], [originAt(7), { ...originAt(3), topic: 'other' }]);
    const [change] = sink.takeChanges();
    expect(sink.takeChanges()).toEqual([]);
    sink.write(['lost'], [originAt(8)]);
    const next = open();
    next.sink.restore(0, change?.bytes as Uint8Array);
    expect(next.sink.takeChanges()).toEqual([]);
    next.sink.write(['c'], [originAt(8)]);
    expect([...given, ...next.given].map(({ topic, offset }) => [topic, offset])).toEqual([
      ['$changes', 0],
      ['$changes', 1],
      ['$changes', 2],
      ['$changes', 2],
    ]);
    expect(given[0]).toMatchObject({ partition: 0, eventTimeMs: originAt(7).eventTimeMs });
  });

  it.each([
    ['NumberedSink', (writer: SinkWriter) => new SequencedSink(writer)],
    ['DeferredSink', (writer: SinkWriter) => new DeferredSink(writer, 10)],
  ])('lets its writer know that the inputs have ended, and ask for an epoch: %s', (_, around) => {
    let finished = 0;
    const writer: SinkWriter = {
      write: () => undefined,
      finish: () => void finished++,
      isDue: () => finished > 0,
      close: async () => undefined,
    };
    const sink = around(writer);
    expect(sink.isDue()).toBe(false);
    sink.finish();
    expect([finished, sink.isDue()]).toEqual([1, true]);
    expect(around({ write: () => undefined, close: async () => undefined }).isDue()).toBe(false);
  });
});

describe('the numbers of tasks that become others', () => {
  it('go on from the highest, in every one of them, and again', () => {
    const flow = flowOf(true);
    const stored = [3, 7, 5].map((count) => {
      const sink = new SequencedSink({ write: () => undefined, close: async () => undefined });
      sink.write(new Array(count).fill(null), new Array(count).fill(originAt(0)));
      return sink.takeChanges().map((change) => ({ ...change, step: 'rows', cell: 'number', version: 1 }));
    });
    const checkpoint = { epoch: 1, incarnation: 0, topologyHash: '', positions: {}, settledDecisions: {} };
    const spread = (states: readonly (readonly StateChange[])[], tasks: number) =>
      rescaleTasks(
        flow,
        states.map((state, partition) => ({ partition, checkpoint, state, topics: {} })),
        { tasks, counters: () => new Counters() },
      ).map(({ state }) => state);
    for (const state of spread(spread(stored, 2), 4)) {
      const given: number[] = [];
      const sink = new SequencedSink({
        write: (_, origins) => void given.push(...origins.map(({ offset }) => offset)),
        close: async () => undefined,
      });
      for (const { bucket, bytes, cell } of state) if (cell === 'number' && bytes) sink.restore(bucket, bytes);
      sink.write(['next'], [originAt(0)]);
      expect(given).toEqual([7]);
    }
  });
});

// Two tables and their join, over a store that keeps of each key the row with the highest number, as ClickHouse does.

interface Row {
  readonly n: number;
}
interface Both {
  readonly left: number | null;
  readonly right: number | null;
}
const tableOf = (topic: string, idleTimeout?: number): Source<Upsert<Row>> =>
  ({
    connector: 'memory',
    kind: 'memory.table',
    topic,
    schema: { format: 'json', subject: topic, definition: undefined },
    settings: {},
    upserts: true,
    eventTimeOf: (_: unknown, timestampMs: number) => timestampMs,
    ...(idleTimeout === undefined ? {} : { idleTimeout }),
  }) as Source<Upsert<Row>>;
const sinkTo = <T>(connector: string, changes?: boolean): Sink<T> => ({
  connector,
  kind: `memory.${connector}`,
  settings: {},
  options: {},
  ...(changes ? { changes } : {}),
});

const flowOf = (changes: boolean, idleTimeout?: number) =>
  topology('joined', { deadLetters: sinkTo('dead') }, (t) => {
    const left = t.source('left', tableOf('left', idleTimeout)).via('left-rows', table({ keysMax: 100 }));
    const right = t.source('right', tableOf('right', idleTimeout)).via('right-rows', table({ keysMax: 100 }));
    left
      .via(
        'both',
        { right },
        outerJoinTables({
          combine: (a: Row | null, b: Row | null): Both => ({ left: a?.n ?? null, right: b?.n ?? null }),
          keysMax: 100,
        }),
      )
      .to('rows', sinkTo<Change<Both>>('store', changes));
  });

type Step = readonly [side: number, key: number, deleted: boolean];

async function runWithCrashes(
  steps: readonly Step[],
  crashes: readonly number[],
  changes = true,
  idleTimeout?: number,
) {
  const memory = new MemoryProfile(1);
  const state = [new Map<string, number>(), new Map<string, number>()] as const;
  for (const [n, [side, number, deleted]] of steps.entries()) {
    const key = `k${number}`;
    const held = state[side === 0 ? 0 : 1];
    if (deleted) held.delete(key);
    else held.set(key, n);
    const value = deleted ? null : Buffer.from(JSON.stringify({ n }));
    memory.append(side === 0 ? 'left' : 'right', 0, [{ key: Buffer.from(key), value, timestampMs: n }]);
  }
  const expected: Record<string, Both> = {};
  for (const key of [...new Set([...state[0].keys(), ...state[1].keys()])].sort())
    expected[key] = { left: state[0].get(key) ?? null, right: state[1].get(key) ?? null };

  const stored = new Map<string, { version: number; change: Change<Both> }>();
  const store: SinkDriver = {
    mode: 'idempotent',
    open: async () => ({
      write(values, origins) {
        values.forEach((value, i) => {
          const change = value as Change<Both>;
          const version = (origins[i] as Origin).offset;
          if (version >= (stored.get(change.key)?.version ?? -1)) stored.set(change.key, { version, change });
        });
      },
      close: async () => undefined,
    }),
  };
  const profile = Object.assign(Object.create(memory) as Profile, {
    sinks: { dead: memory.sinks.dead as SinkDriver, store },
  });
  let points = 0;
  const running = await runTopology(flowOf(changes, idleTimeout), {
    profile,
    inference: noInference,
    clock: new VirtualClock(),
    bounded: true,
    roundMax: 3,
    epochInterval: millis(0),
    random: () => 0,
    onPoint() {
      if (crashes.includes(points++)) throw new MillraceError('state', 'killed');
    },
  });
  await running.finished;
  return { expected, found: foldOf([...stored.values()].map(({ change }) => change)) };
}

const steps = fc.array(fc.tuple(fc.constantFrom(0, 1), fc.integer({ min: 0, max: 4 }), fc.boolean()), {
  maxLength: 40,
});
const crashes = fc.uniqueArray(fc.integer({ min: 0, max: 60 }), { maxLength: 8 });

describe('changes of two inputs, in a store that keeps the newest of each key', () => {
  it('end in the state that they tell of, through any crashes', async () => {
    await fc.assert(
      fc.asyncProperty(steps, crashes, fc.constantFrom(undefined, 5), async (all, killed, idleTimeout) => {
        const { expected, found } = await runWithCrashes(all, killed, true, idleTimeout);
        expect(found).toEqual(expected);
      }),
      { numRuns: 60 },
    );
  });

  it('would not, if they were known by where they come from', async () => {
    // The newest change of the key comes from a record with a lower offset than that of the one before.
    const all: Step[] = [
      [0, 1, false],
      [0, 0, false],
      [1, 0, false],
    ];
    const { expected, found } = await runWithCrashes(all, [], false);
    expect(found).not.toEqual(expected);
  });
});
