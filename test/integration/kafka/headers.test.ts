import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { kafka as specs } from '../../../connectors/kafka/index.js';
import type { Kafka } from '../../../connectors/kafka/open.js';
import { INTERNAL, traceHeaders } from '../../../src/core/index.js';
import type { Profile } from '../../../src/core/profile.js';
import { map } from '../../../src/operators/index.js';
import { runTopology } from '../../../src/runtime/index.js';
import { localRegistry } from '../../../src/schema/index.js';
import { topology } from '../../../src/topology/index.js';
import { noInference } from '../../memory.js';
import { foreignRead, fresh, json, librdkafka, open } from './world.js';

const name = fresh('headers');
const topics = ['in', 'all', 'trace', 'none', 'appended', 'dead', 'by-seven.repartition'].map(
  (each) => `${name}.${each}`,
);
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
  kafka = await open({ prefix: name });
});
afterAll(async () => {
  for (const topic of topics) await kafka.deleteTopic(topic);
  for (const subtopology of [name, `${name}/by-seven`]) await kafka.forget(subtopology);
  await kafka.close();
});

const RECORDS = 50;
const traced = topology(name, { deadLetters: specs.deadLetterSink({ topic: `${name}.dead` }) }, (t) => {
  const values = t
    .source('in', specs.source({ topic: `${name}.in`, schema: json }))
    .repartition('by-seven', { key: ({ n }) => `${n % 7}`, schema: json, headers: [...traceHeaders, 'tenant'] })
    .via(
      'same',
      map(({ n }) => ({ n })),
    );
  values.to('all', specs.sink({ topic: `${name}.all`, schema: json, headers: 'all' }));
  values.to('trace', specs.sink({ topic: `${name}.trace`, schema: json, headers: traceHeaders }));
  values.to('none', specs.sink({ topic: `${name}.none`, schema: json }));
});

describe('headers', () => {
  it('go from the records of other clients through every sub-topology to outputs that ask for them', async () => {
    await kafka.createTopic(`${name}.in`, 2);
    await kafka.createTopic(`${name}.appended`, 1, { 'message.timestamp.type': 'LogAppendTime' });
    await librdkafka(
      `
producer = Producer({'bootstrap.servers': broker})
for n in range(${RECORDS}):
    producer.produce(args[0], value=json.dumps({'n': n}), key=str(n), timestamp=1700000000000 + n, on_delivery=fail, headers=[
        ('traceparent', '00-%032x-00f067aa0ba902b7-01' % n), ('tracestate', 'a=%d' % n), ('tenant', 'x'), ('private', 'y')])
producer.flush()
print(1)`,
      `${name}.in`,
    );
    await (await runTopology(traced, { profile: profile(), inference: noInference, bounded: true })).finished;
    const headersIn = async (topic: string) => {
      const read = await foreignRead(`${name}.${topic}`);
      expect(read).toHaveLength(RECORDS);
      return read.map(({ value, timestampMs, headers }) => {
        const { n } = JSON.parse(value ?? '') as { n: number };
        expect(timestampMs).toBe(1_700_000_000_000 + n);
        return { n, headers };
      });
    };
    const trace = (n: number) => [
      ['traceparent', `00-${n.toString(16).padStart(32, '0')}-00f067aa0ba902b7-01`],
      ['tracestate', `a=${n}`],
    ];
    for (const { n, headers } of await headersIn('all')) expect(headers).toEqual([...trace(n), ['tenant', 'x']]);
    for (const { n, headers } of await headersIn('trace')) expect(headers).toEqual(trace(n));
    for (const { headers } of await headersIn('none')) expect(headers).toEqual([]);
  });
});

describe('a topic whose records bear the time of their append', () => {
  it('is read with that time, whatever its writers said', async () => {
    const topic = `${name}.appended`;
    const before = Date.now();
    const producer = kafka.producer();
    await producer.send(topic, [{ key: null, value: Buffer.from('{"n":1}'), timestampMs: 5 }]);
    await producer.close();
    const task = { topology: 'reader', partition: 0 };
    const reader = await kafka.source.open(specs.source({ topic, schema: json }), {
      task,
      partition: task.partition,
      offset: 0,
      bounded: true,
      step: 'in',
    });
    const { records } = await reader.poll(10);
    await reader.close();
    expect(records).toHaveLength(1);
    expect(records[0]?.timestampMs).toBeGreaterThanOrEqual(before - 1);
    expect(records[0]?.timestampMs).toBeLessThanOrEqual(Date.now() + 1);
    expect(records[0]?.timestampMs).toBe((await foreignRead(topic))[0]?.timestampMs);
  });
});
