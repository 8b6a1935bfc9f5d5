import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, it } from 'vitest';
import { kafka } from '../../connectors/kafka/index.js';
import { millis, type Profile, readerAround, type SourceDriver } from '../../src/core/index.js';
import { leftJoinTable, map, table } from '../../src/operators/index.js';
import { type Running, runTopology, systemClock } from '../../src/runtime/index.js';
import { json } from '../../src/schema/index.js';
import { MemoryProfile } from '../../src/testing/memory-profile.js';
import { type Topology, topology } from '../../src/topology/index.js';
import { memorySink, noInference } from '../memory.js';

// Partitions that are added to an input while a run reads it.

interface Row {
  readonly key: string;
}
const rowsOf = (topic: string) => kafka.source({ topic, schema: json<Row>(), idleTimeout: millis(1) });
const rates = kafka.globalTableSource({ topic: 'rates', schema: json<Row>(), idleTimeout: millis(1) });
const record = (key: string) => ({
  key: Buffer.from(key),
  value: Buffer.from(JSON.stringify({ key })),
  timestampMs: 1,
});

const stateless = topology('stateless', { deadLetters: memorySink() }, (t) => {
  t.source('orders', rowsOf('orders'))
    .via(
      'same',
      map((row) => row),
    )
    .to('out', memorySink());
});
const joined = topology('joined', { deadLetters: memorySink() }, (t) => {
  const rate = t.source('rates', rates).via('rate', table({ keysMax: 10 }));
  t.source('orders', rowsOf('orders'))
    .via(
      'priced',
      { table: rate },
      leftJoinTable<Row, Row, unknown>({
        key: ({ key }) => key,
        combine: (_, row) => row,
        keysMax: 10,
        pendingMax: 10,
      }),
    )
    .to('out', memorySink());
});

let running: Running | undefined;
afterEach(async () => {
  await running?.stop().catch(() => undefined);
});

/** Runs a topology over logs of two partitions, of which each topic tells as many as `counts` says. */
async function start(of: Topology, counts: Record<string, number>) {
  const memory = new MemoryProfile(2);
  const driver = memory.sources.kafka as SourceDriver;
  const growing: SourceDriver = {
    partitionsGrow: true,
    partitions: async ({ topic }) => counts[topic] ?? 0,
    open: async (source, at) => {
      const reader = await driver.open(source, at);
      // Logs of this profile end; these are waited at.
      return readerAround(reader, {
        async poll(recordsMax, bytesMax) {
          const { records } = await reader.poll(recordsMax, bytesMax);
          if (records.length === 0) await sleep(5);
          return { records, ended: false };
        },
      });
    },
  };
  const profile: Profile = Object.assign(Object.create(memory), { sources: { kafka: growing } });
  const warnings: string[] = [];
  const ticks: (() => void)[] = [];
  const every = (ms: number, tick: () => void) => {
    if (ms === 30_000) ticks.push(tick);
    return () => undefined;
  };
  const onWarning = (message: string) => void warnings.push(message);
  running = await runTopology(of, {
    profile,
    inference: noInference,
    epochInterval: millis(20),
    clock: { ...systemClock, every },
    onWarning,
  });
  running.finished.catch(() => undefined); // awaited below
  return { memory, running, warnings, look: () => ticks.forEach((tick) => void tick()) };
}

const until = async (what: () => boolean) => {
  for (const giveUpMs = Date.now() + 20_000; !what(); await sleep(5)) expect(Date.now()).toBeLessThan(giveUpMs);
};

it('says that those of an input without state behind it are not read, once', async () => {
  const counts = { orders: 1 };
  const { look, warnings, running: run } = await start(stateless, counts);
  look();
  counts.orders = 2;
  look();
  await until(() => warnings.length > 0);
  look();
  await sleep(20);
  expect(warnings).toEqual([
    "input 'orders' has 2 partitions now, and 1 of them are read: restart all processes of the topology to read the others",
  ]);
  await run.stop();
});

it('ends a run with state, as its next start would be refused', async () => {
  const counts = { orders: 1, rates: 1 };
  const { look, running: run } = await start(joined, counts);
  counts.orders = 2;
  look();
  await expect(run.finished).rejects.toMatchObject({
    code: 'state',
    permanent: true,
    message: "input 'orders' has 2 partitions now, and the state is that of 1 task",
    hint: expect.stringContaining('--rescale'),
  });
});

it('reads those of a global input: the tasks are opened anew', async () => {
  const counts = { orders: 1, rates: 1 };
  const { memory, look, warnings, running: run } = await start(joined, counts);
  memory.append('rates', 1, [record('usd')]);
  memory.append('orders', 0, [record('eur')]);
  await sleep(50);
  counts.rates = 2;
  look();
  await until(() => run.snapshot().tasks.some(({ positions }) => positions['rates/1']?.offset === 1));
  expect(warnings[0]).toBe("input 'rates' has 2 partitions now: the tasks are opened anew and read all of them");
  expect(run.snapshot().health).toMatchObject([{ restarts: 0 }]);
  await run.stop();
});
