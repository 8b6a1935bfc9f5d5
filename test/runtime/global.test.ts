import { describe, expect, it } from 'vitest';
import { kafka } from '../../connectors/kafka/index.js';
import { BEFORE_ALL_MS, minutes, type RawRecord, type SourceReader, seconds } from '../../src/core/index.js';
import { leftJoinTable, table } from '../../src/operators/index.js';
import { runTopology } from '../../src/runtime/index.js';
import { Input } from '../../src/runtime/input.js';
import { json, openDecoder } from '../../src/schema/index.js';
import { MemoryProfile } from '../../src/testing/memory-profile.js';
import { VirtualClock } from '../../src/testing/virtual-clock.js';
import { topology } from '../../src/topology/index.js';
import { memorySink, noInference } from '../memory.js';

const TASKS = 3;

interface Timed {
  readonly of: string;
  readonly at: number;
}

const rates = kafka.globalTableSource({
  topic: 'rates',
  schema: json<Timed>(),
  eventTime: ({ at }) => at,
  idleTimeout: 'never',
});
const record = (key: string, at: number) => ({
  key: Buffer.from(key),
  value: Buffer.from(JSON.stringify({ of: key, at })),
  timestampMs: at,
});

it('what several tasks make of one row of the table has an identity in each, and the row its own in the dead letters', async () => {
  const shop = topology('shop', { deadLetters: memorySink() }, (t) => {
    const rate = t.source('rates', rates).via('rate', table({ keysMax: 1 }));
    t.source(
      'orders',
      kafka.source({
        topic: 'orders',
        schema: json<Timed>(),
        eventTime: ({ at }) => at,
        outOfOrdernessMax: minutes(1),
      }),
    )
      .via(
        'priced',
        { table: rate },
        leftJoinTable<Timed, Timed, unknown>({
          key: ({ of }) => of,
          combine: ({ at }, row) => [at, row?.at],
          keysMax: 10,
          pendingMax: 10,
        }),
      )
      .to('out', memorySink());
  });
  const profile = new MemoryProfile(TASKS);
  profile.append('rates', 1, [record('usd', 0), record('gbp', 1), record('usd', 200_000)]);
  // They wait for the minute to be over: the last row of the table says that it is, in each task.
  for (let task = 0; task < TASKS; task++) profile.append('orders', task, [record('usd', 1_000)]);
  const running = await runTopology(shop, {
    profile,
    inference: noInference,
    bounded: true,
    clock: new VirtualClock(),
  });
  await running.finished;

  const written = profile.outputOf('out');
  expect(written.map(({ value }) => value)).toEqual(Array(TASKS).fill([1_000, 0]));
  const identities = written.map(({ origin }) => `${origin.topic}/${origin.partition}/${origin.offset}`);
  expect(identities.sort()).toEqual(['rates/1/0/2', 'rates/1/1/2', 'rates/1/2/2']);

  const letters = profile.outputOf('$dead-letters');
  expect(letters).toHaveLength(TASKS); // each task has the table, and no room for a second key
  for (const { value } of letters)
    expect(value).toMatchObject({ reason: 'table-full', origin: { topic: 'rates', partition: 1, offset: 1 } });
});

describe('an input that may be quiet', () => {
  it('is not, before it has read what was there', async () => {
    const clock = new VirtualClock();
    const node = { id: 'rates', source: { ...rates, idleTimeout: seconds(1) } };
    const batches: RawRecord[][] = [[{ ...record('usd', 5), offset: 0 }]];
    let isBehind = true;
    const reader: SourceReader = {
      get isBehind() {
        return isBehind;
      },
      poll: async () => ({ records: batches.shift() ?? [], ended: false }),
      close: async () => undefined,
    };
    const codec = await openDecoder(node.source.schema, new MemoryProfile(1).schemas);
    const position = { offset: 0, mergeTimeMs: BEFORE_ALL_MS };
    const shared = { task: 0, isReporter: true };
    const input = new Input(node, 2, reader, codec, () => clock.now(), position, shared);
    const idleAfter = async (waitedMs: number) => {
      clock.advance(waitedMs);
      await input.fill(10);
      return input.isIdle;
    };
    expect(await idleAfter(60_000)).toBe(false); // a slow start
    expect(input.buffered).toBe(1);
    input.shift();
    for (let polls = 0; polls < 9; polls++) expect(await idleAfter(200)).toBe(false); // more is to come
    isBehind = false;
    expect(await idleAfter(200)).toBe(true);
    expect(input.key).toBe('rates/2');
  });
});
