import { expect, it } from 'vitest';
import type { InferenceService, Sink, Source } from '../../src/core/index.js';
import { transform } from '../../src/core/index.js';
import { runTopology } from '../../src/runtime/index.js';
import { MemoryProfile } from '../../src/testing/memory-profile.js';
import { VirtualClock } from '../../src/testing/virtual-clock.js';
import { topology } from '../../src/topology/index.js';

interface Numbered {
  readonly n: number;
}

const source: Source<Numbered> = {
  connector: 'memory',
  kind: 'memory.source',
  topic: 'numbers',
  schema: { format: 'json', subject: 'numbers', definition: undefined },
  settings: {},
  eventTimeOf: (value) => (value as Numbered).n,
};
const sink = <T>(): Sink<T> => ({ connector: 'memory', kind: 'memory.sink', settings: {}, options: {} });
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
  const flow = topology('flow', { deadLetters: sink() }, (t) => {
    t.source('numbers', source).via('threes', refuse(3)).via('fives', refuse(5)).to('out', sink());
  });
  const running = await runTopology(flow, {
    profile,
    inference: {} as InferenceService,
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
