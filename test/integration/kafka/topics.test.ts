import { ConfigResourceTypes, ConnectionPool, incrementalAlterConfigsV1 } from '@platformatic/kafka';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type KafkaSinkOptions, kafka as specs } from '../../../connectors/kafka/index.js';
import type { Kafka } from '../../../connectors/kafka/open.js';
import { INTERNAL, type InternalSinkOptions } from '../../../src/core/internal.js';
import type { Sink } from '../../../src/core/sink.js';
import { millrace, userFolder } from '../../cli/millrace.js';
import { clusterEnv } from '../address.js';
import { broker, fresh, json, librdkafka, open } from './world.js';

const name = fresh('topics');
const warnings: string[] = [];
let kafka: Kafka;
beforeAll(async () => {
  kafka = await open({ prefix: name, onWarning: (message) => warnings.push(message) });
});
afterAll(async () => {
  for (const topic of topics) await kafka.deleteTopic(topic);
  await kafka.forget('declared');
  await kafka.close();
});

const topics: string[] = [];
const newName = (what: string): string => {
  const topic = `${name}.${what}`;
  topics.push(topic);
  return topic;
};
const sinkOf = (topic: string, more: Partial<KafkaSinkOptions<{ n: number }>> = {}) =>
  specs.sink<{ n: number }>({ topic, schema: json, ...more }) as Sink<unknown>;
const setUp = (sink: Sink<unknown>) =>
  kafka.topicSink.setUp?.(sink, { topology: 'declared', step: 'out', partitions: 3 }) ?? Promise.resolve();
const mismatches = (sink: Sink<unknown>) => kafka.topicSink.mismatches?.(sink) ?? Promise.resolve([]);

async function alter(topic: string, config: string, value: string): Promise<void> {
  const [host = '', port = ''] = broker().split(':');
  const pool = new ConnectionPool('test', {});
  const connection = await pool.get({ host, port: Number(port) });
  const configs = [{ name: config, configOperation: 0 as never, value }];
  const resource = { resourceType: ConfigResourceTypes.TOPIC, resourceName: topic, configs };
  await incrementalAlterConfigsV1.api.async(connection, [resource], false);
  await pool.close();
  // The controller has it; a broker that is busy says what was before for a while.
  while ((await foreignConfigs(topic, config))[config] !== value);
}

/** What librdkafka's admin says of a topic. */
const foreignConfigs = (topic: string, ...names: string[]): Promise<Record<string, string>> =>
  librdkafka(
    `
from confluent_kafka.admin import AdminClient, ConfigResource
admin = AdminClient({'bootstrap.servers': broker})
found = admin.describe_configs([ConfigResource('topic', args[0])])
print(json.dumps({n: c.value for f in found.values() for n, c in f.result().items() if n in args[1:]}))`,
    topic,
    ...names,
  );

const configs = { 'retention.ms': 86_400_000, 'cleanup.policy': 'compact,delete', 'min.insync.replicas': 1 };

describe('a declared topic', () => {
  it('is created as it is declared, and then differs in nothing', async () => {
    const declared = sinkOf(newName('made'), { partitions: 5, replication: 1, configs, onMismatch: 'fail' });
    expect(await mismatches(declared)).toEqual([]);
    await setUp(declared);
    await setUp(declared);
    expect(await kafka.endOffsets(`${name}.made`)).toHaveLength(5);
    expect(await foreignConfigs(`${name}.made`, ...Object.keys(configs))).toEqual({
      'retention.ms': '86400000',
      'cleanup.policy': 'compact,delete',
      'min.insync.replicas': '1',
    });
    expect(await mismatches(declared)).toEqual([]);
    expect(declared.settings).toMatchObject({
      replication: 1,
      configs: expect.stringContaining('retention.ms=86400000'),
    });
  });

  it('that was changed is told of, or refused, or let be; never changed', async () => {
    const topic = newName('changed');
    await setUp(sinkOf(topic, { configs }));
    await alter(topic, 'retention.ms', '1000');
    warnings.length = 0;
    await setUp(sinkOf(topic, { configs, replication: 3 }));
    expect(warnings).toEqual([
      `topic '${topic}': replication is 1, declared is 3`,
      `topic '${topic}': retention.ms is 1000, declared is 86400000`,
    ]);
    await expect(setUp(sinkOf(topic, { configs, onMismatch: 'fail' }))).rejects.toMatchObject({
      code: 'config',
      message: `topic '${topic}' has retention.ms 1000, not 86400000`,
      hint: expect.stringContaining('kafka-configs'),
    });
    warnings.length = 0;
    await setUp(sinkOf(topic, { configs, onMismatch: 'ignore' }));
    await setUp(sinkOf(topic));
    expect(warnings).toEqual([]);
    expect(await foreignConfigs(topic, 'retention.ms')).toEqual({ 'retention.ms': '1000' });
  });

  it('that is missing is an error where it is not to be created', async () => {
    const absent = sinkOf(`${name}.absent`, { create: false });
    await expect(setUp(absent)).rejects.toMatchObject({
      code: 'config',
      message: `topic '${name}.absent' does not exist`,
    });
    expect(await mismatches(absent)).toMatchObject([{ setting: 'topic', actual: 'missing', refused: true }]);
  });

  it('with a config that the broker does not know is refused by it', async () => {
    await expect(setUp(sinkOf(`${name}.absent`, { configs: { 'no.such': 1 } }))).rejects.toMatchObject({
      code: 'config',
      message: expect.stringContaining('no.such'),
    });
  });

  it('between two sub-topologies has to keep records and their times', async () => {
    const topic = newName('between');
    const options: InternalSinkOptions = {
      topic,
      schema: json as never,
      key: String,
      partitions: 2,
      idleTimeout: undefined,
    };
    const sink: Sink<unknown> = { connector: INTERNAL, kind: 'repartition', settings: {}, options };
    const ready = () => kafka.internal.sink.setUp?.(sink, { topology: 'declared', step: 'x', partitions: 2 });
    await ready();
    await ready();
    await alter(topic, 'message.timestamp.type', 'LogAppendTime');
    await expect(ready()).rejects.toThrowError(
      `topic '${topic}' has message.timestamp.type LogAppendTime, not CreateTime`,
    );
  });
});

describe('millrace check and plan', () => {
  it('tell what a profile has otherwise, and fail where a run would not start', async () => {
    const [warned, failed] = [newName('warned'), newName('failed')];
    await setUp(sinkOf(warned));
    await setUp(sinkOf(failed, { configs: { 'retention.ms': 5_000 } }));
    await kafka.createTopic(newName('in'), 3);
    const file = (onMismatch: string) => `
import { map, topology } from 'millrace';
import { kafka } from 'millrace/connectors/kafka';
const json = { format: 'json', subject: 'x-value', definition: undefined };
export default topology('declared', { deadLetters: kafka.deadLetterSink({ topic: '${name}.dead' }) }, (t) => {
  const values = t.source('in', kafka.source({ topic: '${name}.in', schema: json }));
  values.to('warned', kafka.sink({ topic: '${warned}', schema: json, replication: 2 }));
  values.to('failed', kafka.sink({ topic: '${failed}', schema: json, configs: { 'retention.ms': 6_000 }, onMismatch: '${onMismatch}' }));
});
`;
    const user = userFolder({ 'fail.ts': file('fail'), 'warn.ts': file('warn') });
    const run = (...args: string[]) => millrace(args, { folder: user.folder, env: clusterEnv() });
    const warning = await run('check', 'warn.ts', '--profile', 'cluster');
    expect(warning).toMatchObject({ code: 0, out: expect.stringContaining('2 differences from the declaration') });
    const failing = await run('check', 'fail.ts', '--profile', 'cluster');
    expect(failing.code).toBe(1);
    expect(failing.out).toContain(`  warned: topic '${warned}': replication is 1, declared is 2\n`);
    expect(failing.out).toContain(
      `  failed: topic '${failed}': retention.ms is 5000, declared is 6000 (a run would not start)\n    hint: kafka-configs`,
    );
    expect(await run('check', 'fail.ts')).toMatchObject({ code: 0, out: 'declared: no problems found\n' });
    const plan = await run('plan', 'fail.ts', '--profile', 'cluster', '--json');
    expect(plan.code).toBe(1);
    expect(JSON.parse(plan.out)).toMatchObject({
      mismatches: [
        { sink: 'warned', setting: 'replication', refused: false },
        { sink: 'failed', setting: 'retention.ms', refused: true },
      ],
    });
    const started = await run('run', 'fail.ts', '--profile', 'cluster', '--until-end');
    expect(started).toMatchObject({ code: 1, err: expect.stringContaining('has retention.ms 5000, not 6000') });
    user.remove();
  });
});
