import { expect, it } from 'vitest';
import { count } from '../../src/aggregates/index.js';
import {
  type InferenceService,
  MillraceError,
  type MultiInputOperator,
  millis,
  type Sink,
  type Source,
  stateful,
} from '../../src/core/index.js';
import { window } from '../../src/operators/index.js';
import { type RunOptions, runTopology } from '../../src/runtime/index.js';
import { valueCell } from '../../src/state/index.js';
import { MemoryProfile } from '../../src/testing/memory-profile.js';
import { topology } from '../../src/topology/index.js';
import { tumbling } from '../../src/window.js';

// Where a run ends must not decide what lies in a sink outside the ledger's transaction.

interface Event {
  readonly id: number;
}
const source = (topic: string): Source<Event> => ({
  connector: 'memory',
  kind: 'memory.source',
  topic,
  schema: { format: 'json', subject: topic, definition: undefined },
  settings: {},
  eventTimeOf: (value) => (value as Event).id,
});
const sink = <T>(connector: string): Sink<T> => ({ connector, kind: 'memory.sink', settings: {}, options: {} });

const KEYS = 50;
/** Fifty windows that only the end of time closes. */
const windows = topology('windows', { deadLetters: sink('log') }, (t) => {
  const rows = t.source('left', source('left')).via(
    'count',
    window({
      key: ({ id }) => `key ${id % KEYS}`,
      window: tumbling(millis(1_000_000)),
      aggregate: { events: count<Event>() },
      keysMax: KEYS,
    }),
  );
  rows.to('out', sink('log'));
  rows.to('table', sink('table'));
});

/** Tells each record its place in the merged order. */
const place = (): MultiInputOperator<Event, { right: Event }, Event & { readonly place: number }> =>
  stateful({
    kind: 'place',
    inputs: ['right'],
    cells: { next: valueCell({ initial: 0 }) },
    open: ({ next }) => ({
      onRecord(_input, event, emit) {
        emit({ ...(event as Event), place: next.get() });
        next.set(next.get() + 1);
      },
    }),
  });

const places = topology('places', { deadLetters: sink('log') }, (t) => {
  const placed = t.source('left', source('left')).via('place', { right: t.source('right', source('right')) }, place());
  placed.to('out', sink('log'));
  placed.to('table', sink('table'));
});

const append = (memory: MemoryProfile, topic: string, ids: readonly number[]) =>
  memory.append(
    topic,
    0,
    ids.map((id) => ({ key: null, value: Buffer.from(JSON.stringify({ id })), timestampMs: id })),
  );
const range = (length: number) => Array.from({ length }, (_, id) => id);

/** What a table holds that knows repeated rows by the record that they come from and their key or id, and keeps the first. */
function byIdentity(memory: MemoryProfile, step: string): ReadonlyMap<string, unknown> {
  const rows = new Map<string, unknown>();
  for (const { value, origin } of memory.outputOf(step)) {
    const { key, id } = value as { readonly key?: string; readonly id?: number };
    const identity = `${origin.topic}/${origin.partition}@${origin.offset} ${key ?? id}`;
    if (!rows.has(identity)) rows.set(identity, value);
  }
  return rows;
}

const settings = (profile: MemoryProfile) => ({
  profile,
  inference: {} as InferenceService,
  epochInterval: millis(1),
  roundMax: 40,
});
const run = async (of: typeof windows, memory: MemoryProfile, options: Partial<RunOptions>) => {
  await (await runTopology(of, { ...settings(memory), bounded: true, ...options })).finished;
};
const killed = new MillraceError('internal', 'killed', { permanent: true });

it.each(['pushed', 'drained', 'prepared', 'stored', 'committed'] as const)(
  'closes what is open at the end of time once, killed when the last epoch is %s',
  async (at) => {
    const memory = new MemoryProfile(1, { table: 'idempotent' });
    append(memory, 'left', range(400));
    let rounds = 0;
    const kill = (point: string) => {
      if (point === 'pushed') rounds += 1;
      if (point === at && rounds === 11) throw killed;
    };
    const once = { final: true, epochInterval: millis(3_600_000), onPoint: kill };
    await expect(run(windows, memory, once)).rejects.toThrow('killed');
    // The replay takes more epochs to the same end.
    await run(windows, memory, { final: true, epochInterval: millis(0) });
    expect(byIdentity(memory, 'table').size).toBe(KEYS);
    expect(byIdentity(memory, 'table')).toEqual(byIdentity(memory, 'out'));
  },
);

it('has the order of the checkpoint in every sink, though the replay finds an input longer', async () => {
  const memory = new MemoryProfile(1, { table: 'idempotent' });
  append(memory, 'left', range(100));
  append(memory, 'right', [0]);
  const kill = (point: string) => {
    if (point === 'prepared') throw killed;
  };
  await expect(run(places, memory, { onPoint: kill, roundMax: 1_000 })).rejects.toThrow('killed');
  append(memory, 'right', [50]);
  await run(places, memory, {});
  expect(byIdentity(memory, 'table').size).toBe(102);
  expect(byIdentity(memory, 'table')).toEqual(byIdentity(memory, 'out'));
});

it('completes a run that died before it reads on, though the run that does so is stopped', async () => {
  const memory = new MemoryProfile(1, { table: 'idempotent' });
  append(memory, 'left', range(100));
  append(memory, 'right', [0]);
  const at = (wanted: number, act: () => void) => {
    let rounds = 0;
    return (point: string) => {
      if (point === 'pushed' && ++rounds === wanted) act();
    };
  };
  const die = () => {
    throw killed;
  };
  const slow = { roundMax: 10, epochInterval: millis(3_600_000) };
  await expect(run(places, memory, { ...slow, onPoint: at(8, die) })).rejects.toThrow('killed');
  append(memory, 'right', [50]);
  const stopped = await runTopology(places, {
    ...settings(memory),
    ...slow,
    bounded: true,
    onPoint: at(2, () => void stopped.stop()),
  });
  await stopped.finished;
  expect(memory.outputOf('out').length).toBeLessThan(50);
  await run(places, memory, {});
  expect(byIdentity(memory, 'table').size).toBe(102);
  expect(byIdentity(memory, 'table')).toEqual(byIdentity(memory, 'out'));
});

it('writes what a bounded run left in the checkpoint when the next run is not bounded', async () => {
  const memory = new MemoryProfile(1, { table: 'idempotent' });
  append(memory, 'left', range(100));
  append(memory, 'right', range(100));
  const kill = (point: string) => {
    if (point === 'stored') throw killed;
  };
  await expect(run(places, memory, { onPoint: kill })).rejects.toThrow('killed');
  await run(places, memory, { bounded: false });
  expect(byIdentity(memory, 'table')).toEqual(byIdentity(memory, 'out'));
});
