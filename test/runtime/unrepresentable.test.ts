import { expect, it } from 'vitest';
import type { Change, DeadLetter, Sink, SinkDriver } from '../../src/core/index.js';
import { transform } from '../../src/core/index.js';
import { runTopology } from '../../src/runtime/index.js';
import { MemoryProfile } from '../../src/testing/memory-profile.js';
import { VirtualClock } from '../../src/testing/virtual-clock.js';
import { topology } from '../../src/topology/index.js';
import { memorySink, memorySource, noInference } from '../memory.js';

interface Numbered {
  readonly n: number;
}

const source = memorySource<Numbered>('numbers', (value) => Math.abs((value as Numbered).n));
const deadLetters = memorySink<DeadLetter>();
const narrow: Sink<Numbered> = { connector: 'narrow', kind: 'narrow.sink', settings: {}, options: {} };

/** A sink that has no room for numbers from ten on, except for odd ones. */
async function run(sink: Sink<Numbered>, roundMax: number) {
  const memory = new MemoryProfile(1);
  const value = (n: number) => new TextEncoder().encode(JSON.stringify({ n }));
  memory.append(
    'numbers',
    0,
    Array.from({ length: 30 }, (_, n) => ({ key: null, value: value(n), timestampMs: n })),
  );
  const written: number[] = [];
  const driver: SinkDriver = {
    mode: 'idempotent',
    open: async () => ({
      unrepresentable: (given) => {
        const { n } = given as Numbered;
        return n >= 10 && n % 2 === 0 ? `column n has no room for ${n}` : undefined;
      },
      write: (values) => void written.push(...values.map((given) => (given as Numbered).n)),
      close: async () => {},
    }),
  };
  const profile = Object.assign(Object.create(memory) as MemoryProfile, {
    sinks: { memory: memory.sinks.memory as SinkDriver, narrow: driver },
  });
  const refuse = transform<Numbered, Numbered>({
    kind: 'refuse',
    open: (context) => (given, emit) => {
      if (given.n % 5 === 0) context.deadLetter('five', '');
      else emit(given);
    },
  });
  const flow = topology('flow', { deadLetters }, (t) => {
    t.source('numbers', source).via('fives', refuse).to('narrow', sink);
  });
  const running = await runTopology(flow, {
    profile,
    inference: noInference,
    bounded: true,
    clock: new VirtualClock(),
    roundMax,
  });
  await running.finished;
  const counters = running.snapshot().counters.filter(({ step }) => step === 'narrow');
  const letters = memory.outputOf('$dead-letters').map(({ value: letter, origin }) => {
    const { reason, step, detail } = letter as DeadLetter;
    return { n: JSON.parse(Buffer.from(origin.raw ?? []).toString()).n, reason, step, detail };
  });
  return { written, letters, counters };
}

it.each([
  ['one that is written at once', narrow],
  ['one that is written after the checkpoint', { ...narrow, deferred: { rowsMax: 100 } }],
])('what a sink has no room for goes to the dead letters, the rest is written: %s', async (_, sink) => {
  const whole = await run(sink, 1_000);
  const fits = (n: number) => n % 5 !== 0 && (n < 10 || n % 2 === 1);
  expect(whole.written).toEqual(Array.from({ length: 30 }, (_, n) => n).filter(fits));
  expect(whole.letters.map(({ n }) => n)).toEqual(Array.from({ length: 30 }, (_, n) => n).filter((n) => !fits(n)));
  expect(whole.letters.find(({ n }) => n === 12)).toEqual({
    n: 12,
    reason: 'unrepresentable',
    step: 'narrow',
    detail: 'column n has no room for 12',
  });
  expect(Object.fromEntries(whole.counters.map(({ name, value }) => [name, value]))).toMatchObject({
    written: whole.written.length,
    'dead:unrepresentable': 8,
  });
  for (const roundMax of [1, 7]) expect((await run(sink, roundMax)).letters).toEqual(whole.letters);
});

it('of a change that has no room it stays that what was held before holds no longer', async () => {
  const memory = new MemoryProfile(1);
  const value = (n: number) => new TextEncoder().encode(JSON.stringify({ n }));
  memory.append(
    'numbers',
    0,
    [1, -2, 3].map((n) => ({ key: null, value: value(n), timestampMs: 0 })),
  );
  const written: unknown[] = [];
  const driver: SinkDriver = {
    mode: 'idempotent',
    open: async () => ({
      unrepresentable: (given) => (Number((given as Change<Numbered>).after?.n) < 0 ? 'negative' : undefined),
      write: (values, origins) => void written.push(...values.map((each, i) => [origins[i]?.offset, each])),
      close: async () => {},
    }),
  };
  const profile = Object.assign(Object.create(memory) as MemoryProfile, {
    sinks: { memory: memory.sinks.memory as SinkDriver, narrow: driver },
  });
  const before = { n: 0 };
  const toChange = transform<Numbered, Change<Numbered>>({
    kind: 'to-change',
    open: () => (after, emit) => emit({ key: 'k', before, after }),
  });
  const sink: Sink<Change<Numbered>> = {
    connector: 'narrow',
    kind: 'narrow.sink',
    settings: {},
    options: {},
    changes: true,
  };
  const flow = topology('flow', { deadLetters }, (t) => {
    t.source('numbers', source).via('changes', toChange).to('narrow', sink);
  });
  await (await runTopology(flow, { profile, inference: noInference, bounded: true, clock: new VirtualClock() }))
    .finished;
  expect(written).toEqual([
    [0, { key: 'k', before, after: { n: 1 } }],
    [1, { key: 'k', before, after: null }],
    [2, { key: 'k', before, after: { n: 3 } }],
  ]);
  expect(memory.outputOf('$dead-letters').map(({ origin }) => origin.offset)).toEqual([1]);
});
