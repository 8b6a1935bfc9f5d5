import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Connection } from '@platformatic/kafka';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Kafka, openKafka } from '../../../connectors/kafka/open.js';
import type { SourceReader } from '../../../src/core/source.js';
import { localRegistry } from '../../../src/schema/index.js';
import { KafkaCluster } from '../../chaos/cluster.js';
import { fresh, source } from './world.js';

const FETCH = 1;
let cluster: KafkaCluster;
let kafka: Kafka;
let leaderPort = 0;
const topic = fresh('racks');

const open = (rack?: string) =>
  openKafka({ brokers: cluster.brokers, registry: localRegistry(), ...(rack === undefined ? {} : { rack }) });

beforeAll(async () => {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-racks-'));
  const selector = 'org.apache.kafka.common.replica.RackAwareReplicaSelector';
  cluster = await KafkaCluster.start(folder, {
    more: (id) => `broker.rack=rack-${id}\nreplica.selector.class=${selector}`,
  });
  kafka = await open();
  await kafka.createTopic(topic, 1);
  await send(1_000);
  const counted = fetches();
  expect(await readTo(await readerOf(kafka), sent)).toHaveLength(sent);
  counted.end();
  expect(counted.byPort.size).toBe(1); // without a rack: the leader alone
  leaderPort = [...counted.byPort.keys()][0] as number;
});
afterAll(async () => {
  await kafka.close();
  await cluster.stop();
});

let sent = 0;
async function send(records: number): Promise<void> {
  const producer = kafka.producer();
  for (let i = 0; i < records; i += 100) {
    const batch = Array.from({ length: 100 }, () => ({ key: null, value: Buffer.from(`${sent++}`), timestampMs: 1 }));
    await producer.send(topic, batch);
  }
  await producer.close();
}

/** How many fetches this process sends to each broker. */
function fetches() {
  const byPort = new Map<number, number>();
  const count = (message: unknown) => {
    const { connection, apiKey } = message as { connection: Connection; apiKey: number };
    const { port = 0 } = connection;
    if (apiKey === FETCH) byPort.set(port, (byPort.get(port) ?? 0) + 1);
  };
  subscribe('tracing:plt:kafka:connections:api:start', count);
  return { byPort, end: () => unsubscribe('tracing:plt:kafka:connections:api:start', count) };
}

const readerOf = (from: Kafka): Promise<SourceReader> =>
  from.source.open(source(topic), {
    task: { topology: 'racks', partition: 0 },
    partition: 0,
    offset: 0,
    bounded: false,
    step: 'in',
  });

async function readTo(reader: SourceReader, count: number, keepOpen = false): Promise<number[]> {
  const read: number[] = [];
  while (read.length < count) {
    const { records } = await reader.poll(500);
    read.push(...records.map(({ value }) => Number(String(value))));
  }
  if (!keepOpen) await reader.close();
  return read;
}

describe('a client that says where it is', () => {
  const portOf = (id: number) => Number(cluster.brokers[id - 1]?.split(':')[1]);
  const ids = [1, 2, 3];

  it('reads from the replica in its rack, everything, in order', async () => {
    for (const id of ids) {
      const near = await open(`rack-${id}`);
      const counted = fetches();
      const reader = await readerOf(near);
      const first = await readTo(reader, sent, true);
      await send(500);
      const rest = await readTo(reader, sent - first.length, true);
      await reader.close();
      counted.end();
      await near.close();
      expect([...first, ...rest]).toEqual(Array.from({ length: sent }, (_, n) => n));
      const elsewhere = [...counted.byPort].filter(([port]) => port !== portOf(id)).map(([, times]) => times);
      expect(counted.byPort.get(portOf(id)) ?? 0).toBeGreaterThan(2);
      // The leader is asked once which replica that is.
      expect(elsewhere).toEqual(portOf(id) === leaderPort ? [] : [1]);
    }
  });

  it('reads from the leader in a rack without a broker', async () => {
    const far = await open('rack-9');
    const counted = fetches();
    expect(await readTo(await readerOf(far), sent)).toHaveLength(sent);
    counted.end();
    await far.close();
    expect([...counted.byPort.keys()]).toEqual([leaderPort]);
  });

  it('goes on at the leader when its replica dies, and back to it when it is there again', async () => {
    const id = ids.find((each) => portOf(each) !== leaderPort) as number;
    const near = await open(`rack-${id}`);
    const reader = await readerOf(near);
    const read = await readTo(reader, sent, true);
    await cluster.kill(id);
    const counted = fetches();
    const began = Date.now();
    const before = sent;
    await send(300);
    read.push(...(await readTo(reader, sent - before, true)));
    process.stdout.write(`replica killed: went on after ${Date.now() - began} ms\n`);
    expect(counted.byPort.get(leaderPort) ?? 0).toBeGreaterThan(0);

    await cluster.restart([id], 'SIGKILL', 0);
    counted.byPort.clear();
    const giveUpMs = Date.now() + 60_000;
    while ((counted.byPort.get(portOf(id)) ?? 0) < 5 && Date.now() < giveUpMs) {
      const from = sent;
      await send(100);
      read.push(...(await readTo(reader, sent - from, true)));
      await sleep(100);
    }
    counted.end();
    expect(counted.byPort.get(portOf(id)) ?? 0).toBeGreaterThanOrEqual(5);
    expect(read).toEqual(Array.from({ length: sent }, (_, n) => n));
    await reader.close();
    await near.close();
  });
});
