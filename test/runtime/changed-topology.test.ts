import { expect, it } from 'vitest';
import { count } from '../../src/aggregates/index.js';
import { type InferenceService, millis, type Sink, type Source, stateful } from '../../src/core/index.js';
import { map, window } from '../../src/operators/index.js';
import { type RunOptions, runTopology } from '../../src/runtime/index.js';
import { valueCell } from '../../src/state/index.js';
import { MemoryProfile } from '../../src/testing/memory-profile.js';
import { type Topology, topology, topologyHash } from '../../src/topology/index.js';
import { tumbling } from '../../src/window.js';

// A version of a topology that runs for a moment must neither skip records nor double them, or it is refused.

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
const sink = <T>(): Sink<T> => ({ connector: 'memory', kind: 'memory.sink', settings: {}, options: {} });

const counting = (version: number) =>
  stateful<Event, Event & { readonly n: number }, { n: ReturnType<typeof valueCell<number>> }>({
    kind: 'counting',
    cells: { n: { ...valueCell({ initial: 0 }), version } },
    open: ({ n }) => ({
      onRecord(_input, event, emit) {
        n.set(n.get() + 1);
        emit({ ...(event as Event), n: n.get() });
      },
    }),
  });

/** A version of the topology: its sources, and what lies between them and their sinks. */
const versionOf = (sources: readonly string[], { step = 'count', version = 1, mapped = false } = {}): Topology =>
  topology('changing', { deadLetters: sink() }, (t) => {
    for (const id of sources) {
      const events = t.source(id, source(id));
      const counted = (
        mapped
          ? events.via(
              `map-${id}`,
              map((event) => event),
            )
          : events
      ).via(`${step}-${id}`, counting(version));
      counted.to(`out-${id}`, sink());
      if (mapped) counted.to(`more-${id}`, sink());
    }
  });

const append = (memory: MemoryProfile, ids: readonly number[]) => {
  for (const topic of ['a', 'b'])
    memory.append(
      topic,
      0,
      ids.map((id) => ({ key: null, value: Buffer.from(JSON.stringify({ id })), timestampMs: id })),
    );
};
const run = async (of: Topology, memory: MemoryProfile, options: Partial<RunOptions> = {}) => {
  await (await runTopology(of, { profile: memory, inference: {} as InferenceService, bounded: true, ...options }))
    .finished;
};
const idsOf = (memory: MemoryProfile, step: string) => memory.outputOf(step).map(({ value }) => (value as Event).id);

it('refuses a version without a source, names it, and neither skips nor doubles when it was accepted and rolled back', async () => {
  const memory = new MemoryProfile(1);
  append(memory, [1, 2, 3]);
  const v1 = versionOf(['a', 'b']);
  const v2 = versionOf(['a']);
  await run(v1, memory);
  append(memory, [4, 5]);
  const refused = run(v2, memory);
  await expect(refused).rejects.toMatchObject({ code: 'config', permanent: true, where: 'changing/0' });
  await expect(refused).rejects.toThrow('  - source b\n  - step count-b (counting): n 1');
  await expect(run(v2, memory, { acceptPlan: topologyHash(v1) })).rejects.toThrow('differ');
  await run(v2, memory, { acceptPlan: topologyHash(v2) });
  await run(v1, memory, { acceptPlan: true });
  expect(idsOf(memory, 'out-a')).toEqual([1, 2, 3, 4, 5]);
  expect(idsOf(memory, 'out-b')).toEqual([1, 2, 3, 4, 5]);
  expect(memory.outputOf('out-b').map(({ value }) => (value as { n: number }).n)).toEqual([1, 2, 3, 4, 5]);
});

it.each([
  [
    'another name of a stateful step',
    { step: 'tally' },
    '  - step count-a (counting): n 1\n  + step tally-a (counting): n 1',
  ],
  ['another version of state', { version: 2 }, '  - step count-a (counting): n 1\n  + step count-a (counting): n 2'],
])('refuses %s', async (_, change, told) => {
  const memory = new MemoryProfile(1);
  append(memory, [1, 2, 3]);
  await run(versionOf(['a']), memory);
  await expect(run(versionOf(['a'], change), memory)).rejects.toThrow(told);
});

it('names the cell of a step whose stored version its code cannot read, accepted or not', async () => {
  const memory = new MemoryProfile(1);
  append(memory, [1, 2, 3]);
  await run(versionOf(['a'], { version: 2 }), memory);
  await expect(run(versionOf(['a']), memory, { acceptPlan: true })).rejects.toMatchObject({
    code: 'state',
    where: 'count-a/n',
    permanent: true,
  });
});

it('refuses state of a window of another size with what to do, and recommends no plan that cannot work', async () => {
  const memory = new MemoryProfile(1);
  append(memory, [1, 2, 3]);
  const versionWith = (size: number, step = 'rows') =>
    topology('resized', { deadLetters: sink() }, (t) => {
      t.source('a', source('a'))
        .via(
          step,
          window({ window: tumbling(millis(size)), key: () => 'all', keysMax: 5, aggregate: { n: count<Event>() } }),
        )
        .to('out', sink());
    });
  await run(versionWith(100), memory);
  const hint = 'give the step a new id to start from empty state, or run with the settings that made it';
  const refused = { code: 'state', permanent: true, hint };
  const other = run(versionWith(50), memory);
  await expect(other).rejects.toMatchObject({ ...refused, where: 'resized/0' });
  await expect(other).rejects.toThrow('the stored state of rows was made with other settings');
  await expect(run(versionWith(50), memory, { acceptPlan: true })).rejects.toMatchObject({
    ...refused,
    where: 'rows/panes',
  });
  const renamed = versionWith(50, 'halves');
  await expect(run(renamed, memory)).rejects.toMatchObject({ code: 'config' });
  await run(renamed, memory, { acceptPlan: true });
});

it('keeps the watermark where the source that was ahead in time has left', async () => {
  const memory = new MemoryProfile(1);
  const watermarks: number[] = [];
  const watching = stateful<Event, Event, Record<string, never>>({
    kind: 'watching',
    cells: {},
    open: () => ({ onRecord: () => undefined, onWatermark: (watermarkMs) => void watermarks.push(watermarkMs) }),
  });
  const versionWith = (...sources: readonly string[]) =>
    topology('watching', { deadLetters: sink() }, (t) => {
      const streams = sources.map((id) => t.source(id, source(id)));
      for (const [i, stream] of streams.entries())
        (i === 0 ? stream.via('watch', watching) : stream).to(`out-${i}`, sink());
    });
  append(memory, [10, 11, 12]);
  for (const id of [500, 501, 502])
    memory.append('b', 0, [{ key: null, value: Buffer.from(JSON.stringify({ id })), timestampMs: id }]);
  await run(versionWith('a', 'b'), memory);
  append(memory, [20, 600]);
  await run(versionWith('a'), memory, { acceptPlan: true });
  expect(watermarks).toContain(502);
  expect(watermarks).toEqual([...watermarks].sort((x, y) => x - y));
});

it('does not close a window twice where the source that was ahead in time has left', async () => {
  const memory = new MemoryProfile(1);
  const at = (id: number) => ({ key: null, value: Buffer.from(JSON.stringify({ id })), timestampMs: id });
  const versionWith = (...sources: readonly string[]) =>
    topology('closing', { deadLetters: sink() }, (t) => {
      const [events, ...others] = sources.map((id) => t.source(id, source(id)));
      for (const other of others) other.to('other', sink());
      events
        ?.via(
          'rows',
          window({ window: tumbling(millis(100)), key: () => 'all', keysMax: 5, aggregate: { n: count<Event>() } }),
        )
        .to('out', sink());
    });
  memory.append('a', 0, [at(10), at(20), at(30)]);
  memory.append('b', 0, [at(50), at(150), at(250)]);
  await run(versionWith('a', 'b'), memory);
  memory.append('a', 0, [at(40), at(260)]);
  await run(versionWith('a'), memory, { acceptPlan: true });
  expect(memory.outputOf('out').map(({ value }) => value)).toEqual([{ key: 'all', startMs: 0, endMs: 100, n: 3 }]);
  expect(memory.outputOf('$dead-letters').map(({ value }) => (value as { reason: string }).reason)).toEqual(['late']);
});

it('lets sinks and stateless steps change', async () => {
  const memory = new MemoryProfile(1);
  append(memory, [1, 2, 3]);
  await run(versionOf(['a']), memory);
  append(memory, [4]);
  await run(versionOf(['a'], { mapped: true }), memory);
  expect(idsOf(memory, 'out-a')).toEqual([1, 2, 3, 4]);
});
