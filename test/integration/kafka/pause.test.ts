import type { Producer } from 'kafkajs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { kafka as specs } from '../../../connectors/kafka/index.js';
import type { Kafka } from '../../../connectors/kafka/open.js';
import { type Running, runTopology } from '../../../src/runtime/index.js';
import { localRegistry } from '../../../src/schema/index.js';
import { topology } from '../../../src/topology/index.js';
import { noInference } from '../../memory.js';
import { foreignProducer, foreignSend, fresh, json, open as openKafka } from './world.js';

const name = fresh('paused');
const [input, output, dead] = [`${name}.in`, `${name}.out`, `${name}.dead`];
const copied = topology(name, { deadLetters: specs.deadLetterSink({ topic: dead }) }, (t) => {
  t.source('in', specs.source({ topic: input, schema: json })).to('out', specs.sink({ topic: output, schema: json }));
});

const record = { key: null, value: Buffer.from('{"n":1}'), timestampMs: 1_700_000_000_000 };

let producer: Producer;
const open: Kafka[] = [];
const runs: Running[] = [];
beforeAll(async () => {
  await (await process()).createTopic(input, 2);
  producer = await foreignProducer();
});
afterAll(async () => {
  await Promise.all(runs.map((run) => run.stop()));
  await producer.disconnect();
  for (const topic of [input, output, dead]) await open[0]?.deleteTopic(topic);
  await open[0]?.forget(name);
  await Promise.all(open.map((kafka) => kafka.close()));
});

async function process(): Promise<Kafka> {
  const kafka = await openKafka({ prefix: name });
  open.push(kafka);
  return kafka;
}

/** Runs as a process of the group does. */
async function start(): Promise<Running> {
  const kafka = await process();
  const running = await runTopology(copied, {
    profile: {
      name: 'test',
      sources: { kafka: kafka.source },
      sinks: { kafka: kafka.topicSink },
      openLedger: kafka.openLedger,
      join: kafka.join,
      schemas: localRegistry(),
      close: async () => undefined,
    },
    inference: noInference,
    followsPause: true,
  });
  runs.push(running);
  return running;
}
const write = (partition: number, records: number) =>
  foreignSend(
    producer,
    input,
    partition,
    Array.from({ length: records }, () => record),
  );
const figuresOf = (running: Running) =>
  running.snapshot().tasks.map(({ partition, isAtRest, positions, lag }) => ({
    partition,
    isAtRest,
    position: positions.in?.offset,
    lag: lag.in,
  }));
const until = (running: Running, expected: ReturnType<typeof figuresOf>) =>
  expect.poll(() => figuresOf(running), { timeout: 20_000 }).toEqual(expected);

it('says how far a run that is paused falls behind, and holds for a process that joins', async () => {
  const first = await start();
  await write(0, 3);
  await write(1, 3);
  const [reading, resting] = [
    { isAtRest: false, position: 3, lag: 0 },
    { isAtRest: true, position: 3, lag: 0 },
  ];
  await until(
    first,
    [0, 1].map((partition) => ({ partition, ...reading })),
  );
  first.pause();
  await until(
    first,
    [0, 1].map((partition) => ({ partition, ...resting })),
  );
  await write(0, 40);
  await until(
    first,
    [40, 0].map((lag, partition) => ({ partition, ...resting, lag })),
  );

  const second = await start();
  await expect.poll(() => figuresOf(second), { timeout: 30_000 }).toHaveLength(1);
  expect(second.snapshot().isPaused).toBe(true);
  const [{ partition } = { partition: -1 }] = figuresOf(second);
  await write(partition, 7);
  const lag = partition === 0 ? 47 : 7;
  await until(second, [{ partition, ...resting, lag }]);

  for (const run of runs) run.resume();
  await until(second, [{ partition, ...reading, position: 3 + lag }]);
});
