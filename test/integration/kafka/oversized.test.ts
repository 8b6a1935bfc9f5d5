import { afterAll, beforeAll, expect, it } from 'vitest';
import { kafka as specs } from '../../../connectors/kafka/index.js';
import type { Kafka } from '../../../connectors/kafka/open.js';
import { INTERNAL } from '../../../src/core/index.js';
import type { Profile } from '../../../src/core/profile.js';
import type { Sink } from '../../../src/core/sink.js';
import { runTopology } from '../../../src/runtime/index.js';
import { localRegistry } from '../../../src/schema/index.js';
import { noInference } from '../../memory.js';
import { good, LIMIT, letterOf, letters, oversized, records } from '../../oversized.js';
import { foreignRead, fresh, open } from './world.js';

const name = fresh('oversized');
const warnings: string[] = [];
let kafka: Kafka;
const profile = (): Profile => ({
  name: 'test',
  sources: { kafka: kafka.source, [INTERNAL]: kafka.internal.source },
  sinks: { kafka: kafka.topicSink, [INTERNAL]: kafka.internal.sink },
  openLedger: kafka.openLedger,
  schemas: localRegistry(),
  close: async () => undefined,
});

beforeAll(async () => {
  kafka = await open({ prefix: name, onWarning: (message) => warnings.push(message) });
});
afterAll(async () => {
  for (const topic of ['in', 'out', 'dead']) await kafka.deleteTopic(`${name}.${topic}`);
  await kafka.forget(name);
  await kafka.close();
});

it('records that are too large for their topics become dead letters, and all others are committed', async () => {
  await kafka.createTopic(`${name}.in`, 1);
  await kafka.createTopic(`${name}.dead`, 1);
  const producer = kafka.producer();
  await producer.send(`${name}.in`, records);
  await producer.close();
  await (await runTopology(oversized(name), { profile: profile(), inference: noInference, bounded: true })).finished;
  const out = await foreignRead(`${name}.out`);
  expect(out.map(({ value }) => (JSON.parse(value ?? '') as { n: number }).n)).toEqual(good);
  const dead = await foreignRead(`${name}.dead`);
  expect(dead.map(({ headers }) => letterOf(headers))).toEqual(letters);
  expect(dead[1]?.headers).toContainEqual([
    'millrace.detail',
    expect.stringMatching(/^the record takes 1,048,6\d\d bytes, topic '.*out' takes 1,048,588 bytes/),
  ]);
  expect(warnings).toEqual([]);
});

it('a dead-letter topic that takes less than an input is a warning at the start', async () => {
  const dead = specs.deadLetterSink({ topic: `${name}.dead` }) as Sink<unknown>;
  const large = `${name}.large`;
  await kafka.createTopic(large, 1, { 'max.message.bytes': String(2 * LIMIT) });
  const context = { topology: name, step: 'dead', partitions: 1, inputs: [`${name}.in`, large] };
  await kafka.topicSink.setUp?.(dead, context);
  await kafka.deleteTopic(large);
  expect(warnings).toEqual([expect.stringMatching(/^dead letters of '.*large' may be cut to their first 64 KiB/)]);
});
