import { expect, it, vi } from 'vitest';
import type { Headers, Operator, SinkDriver } from '../../src/core/index.js';
import { RowFailure, transform } from '../../src/core/index.js';
import { runTopology } from '../../src/runtime/index.js';
import { avro } from '../../src/schema/index.js';
import { MemoryProfile } from '../../src/testing/memory-profile.js';
import { VirtualClock } from '../../src/testing/virtual-clock.js';
import { topology } from '../../src/topology/index.js';
import { memorySink, memorySource, noInference } from '../memory.js';

interface Numbered {
  readonly n: number;
}

const source = memorySource<Numbered>('numbers', ({ n }) => n);
const refuse = (divisor: number) =>
  transform<Numbered, Numbered>({
    kind: 'refuse',
    open: (context) => (value, emit) => {
      if (value.n % divisor === 0) context.deadLetter(`by-${divisor}`, '');
      else emit(value);
    },
  });

async function letters(roundMax: number) {
  const profile = new MemoryProfile(1);
  const bytes = (n: number) => (n % 7 === 0 ? new Uint8Array([1]) : new TextEncoder().encode(JSON.stringify({ n })));
  profile.append(
    'numbers',
    0,
    Array.from({ length: 100 }, (_, n) => ({ key: null, value: bytes(n), timestampMs: n })),
  );
  const flow = topology('flow', { deadLetters: memorySink() }, (t) => {
    t.source('numbers', source).via('threes', refuse(3)).via('fives', refuse(5)).to('out', memorySink());
  });
  const running = await runTopology(flow, {
    profile,
    inference: noInference,
    bounded: true,
    clock: new VirtualClock(),
    roundMax,
  });
  await running.finished;
  return profile
    .outputOf('$dead-letters')
    .map(({ value, origin }) => [origin.offset, (value as { reason: string }).reason]);
}

it('dead letters of several steps stand in the order of their records, wherever rounds are cut', async () => {
  const whole = await letters(1_000);
  expect(whole).toHaveLength(55);
  expect(whole.map(([offset]) => offset)).toEqual(
    whole.map(([offset]) => offset).sort((a, b) => Number(a) - Number(b)),
  );
  for (const roundMax of [1, 4, 33]) expect(await letters(roundMax)).toEqual(whole);
});

it('dead letters of an asynchronous step wait for the turn of their round', async () => {
  const profile = new MemoryProfile(1);
  profile.append(
    'numbers',
    0,
    Array.from({ length: 12 }, (_, n) => ({
      key: null,
      value: new TextEncoder().encode(JSON.stringify({ n })),
      timestampMs: n,
    })),
  );
  let rounds = 0;
  const lateFirst: Operator<Numbered, Numbered> = {
    kind: 'late-first',
    settings: {},
    shape: {
      shape: 'batched',
      open: async () => ({
        onBatch: async (values) => {
          // The earlier a round came, the later it is answered.
          for (let turns = 10 - 3 * rounds++; turns > 0; turns--) await new Promise((resolve) => setImmediate(resolve));
          return values.map(() => new RowFailure('refused', ''));
        },
      }),
    },
  };
  const flow = topology('flow', { deadLetters: memorySink() }, (t) => {
    t.source('numbers', source).via('late-first', lateFirst).to('out', memorySink());
  });
  const running = await runTopology(flow, {
    profile,
    inference: noInference,
    bounded: true,
    clock: new VirtualClock(),
    roundMax: 4,
  });
  await running.finished;
  expect(rounds).toBe(3);
  expect(profile.outputOf('$dead-letters').map(({ origin }) => origin.offset)).toEqual([
    0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11,
  ]);
});

it('an asynchronous step that throws does not blame a record that it refused before', async () => {
  const profile = new MemoryProfile(1);
  const value = (n: number) => new TextEncoder().encode(JSON.stringify({ n }));
  profile.append('numbers', 0, [
    { key: null, value: value(0), timestampMs: 0 },
    { key: null, value: value(1), timestampMs: 1 },
  ]);
  const breaks: Operator<Numbered, Numbered> = {
    kind: 'breaks',
    settings: {},
    shape: {
      shape: 'batched',
      open: async () => ({
        onBatch: async ([first]) => {
          if ((first as Numbered).n === 0) return [new RowFailure('refused', '')];
          for (let turns = 10; turns > 0; turns--) await new Promise((resolve) => setImmediate(resolve));
          throw new Error('broken');
        },
      }),
    },
  };
  const flow = topology('flow', { deadLetters: memorySink() }, (t) => {
    t.source('numbers', source).via('breaks', breaks).to('out', memorySink());
  });
  const clock = new VirtualClock();
  const running = await runTopology(flow, {
    profile,
    inference: noInference,
    bounded: true,
    clock,
    roundMax: 1,
  });
  await expect(running.finished).rejects.toMatchObject({ message: 'the step threw: broken', where: 'breaks' });
});

it('a drain that waits for dead letters leaves the event loop alone', async () => {
  const profile = new MemoryProfile(1);
  profile.append('numbers', 0, [{ key: null, value: new Uint8Array([1]), timestampMs: 0 }]);
  const { kafka: memory } = profile.sinks;
  let answer = (): void => undefined;
  let asked = (): void => undefined;
  const isAsked = new Promise<void>((resolve) => {
    asked = resolve;
  });
  const slow: SinkDriver = {
    mode: 'transactional',
    open: async (of, context) => {
      const writer = await (memory as SinkDriver).open(of, context);
      if (context.step !== '$dead-letters') return writer;
      return {
        ...writer,
        write: async (values, origins) => {
          asked();
          await new Promise<void>((resolve) => {
            answer = resolve;
          });
          return writer.write(values, origins);
        },
      };
    },
  };
  const flow = topology('flow', { deadLetters: memorySink() }, (t) => {
    t.source('numbers', source).to('out', memorySink());
  });
  const running = await runTopology(flow, {
    profile: {
      name: 'slow',
      sources: profile.sources,
      sinks: { memory: slow },
      schemas: profile.schemas,
      openLedger: (task) => profile.openLedger(task),
      close: () => profile.close(),
    },
    inference: noInference,
    bounded: true,
    clock: new VirtualClock(),
  });
  await isAsked;
  for (let turns = 0; turns < 20; turns++) await new Promise((resolve) => setImmediate(resolve));
  const immediates = vi.spyOn(globalThis, 'setImmediate');
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(immediates).not.toHaveBeenCalled();
  immediates.mockRestore();
  answer();
  await running.finished;
  expect(profile.outputOf('$dead-letters')).toHaveLength(1);
});

it('a record whose schema is named in a header says so, and no other does', async () => {
  const profile = new MemoryProfile(1);
  const headers: Headers = [['__value_schema_id', new Uint8Array(17).fill(1)]];
  const record = { key: null, value: Uint8Array.of(2, 14), timestampMs: 0 };
  profile.append('numbers', 0, [
    { ...record, headers },
    { ...record, headers: [['trace', new Uint8Array()]] },
  ]);
  const fields = [{ name: 'n', type: 'long' }];
  const definition = JSON.stringify({ type: 'record', name: 'Numbered', fields });
  const schema = avro<unknown>({ subject: 'numbers', definition });
  const flow = topology('flow', { deadLetters: memorySink() }, (t) => {
    t.source('numbers', { ...source, schema }).to('out', memorySink());
  });
  const running = await runTopology(flow, { profile, inference: noInference, bounded: true });
  await running.finished;
  expect(profile.outputOf('$dead-letters').map(({ value }) => (value as { reason: string }).reason)).toEqual([
    'schema-id-in-header',
    'not-wire-format',
  ]);
});

it('a record that its source refused is a dead letter with the reason, of a table as well', async () => {
  for (const upserts of [false, true]) {
    const profile = new MemoryProfile(1);
    const refused = { key: null, value: null, timestampMs: 1, refusal: { reason: 'too-many-headers', detail: 'many' } };
    profile.append('in', 0, [refused, { key: Buffer.from('a'), value: Buffer.from('1'), timestampMs: 2 }]);
    const flow = topology('flow', { deadLetters: memorySink() }, (t) => {
      t.source(
        'in',
        memorySource<unknown>('in', (_, timestampMs) => timestampMs, { upserts }),
      ).to('out', memorySink());
    });
    await (await runTopology(flow, { profile, inference: noInference, bounded: true, clock: new VirtualClock() }))
      .finished;
    expect(profile.outputOf('out')).toHaveLength(1);
    expect(profile.outputOf('$dead-letters').map(({ value }) => value)).toMatchObject([
      { reason: 'too-many-headers', detail: 'many', step: 'in' },
    ]);
  }
});
