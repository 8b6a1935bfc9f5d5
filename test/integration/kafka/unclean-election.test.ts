import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Kafka as KafkaJs, logLevel } from 'kafkajs';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { Cluster } from '../../../connectors/kafka/connection/cluster.js';
import { kafka as specs } from '../../../connectors/kafka/index.js';
import { type Kafka, openKafka } from '../../../connectors/kafka/open.js';
import { map } from '../../../src/operators/index.js';
import { runTopology } from '../../../src/runtime/index.js';
import { localRegistry } from '../../../src/schema/index.js';
import { topology } from '../../../src/topology/index.js';
import { KafkaCluster } from '../../chaos/cluster.js';
import { noInference } from '../../memory.js';
import { json } from './world.js';

// A replica that was behind becomes the leader of an input: what it lacks is lost, and nothing of that may pass in silence.

let brokers: KafkaCluster;
let kafka: Kafka;

beforeAll(async () => {
  brokers = await KafkaCluster.start(mkdtempSync(join(tmpdir(), 'millrace-unclean-')));
  kafka = await openKafka({ brokers: brokers.brokers, registry: localRegistry(), apiTimeoutMs: 90_000 });
  // Without the third broker, so that two of three controllers live whichever of the replicas does.
  const admin = new KafkaJs({ brokers: brokers.brokers, logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  const configEntries = [
    { name: 'min.insync.replicas', value: '1' },
    { name: 'unclean.leader.election.enable', value: 'true' },
  ];
  const replicaAssignment = [{ partition: 0, replicas: [1, 2] }];
  await admin.createTopics({ topics: [{ topic: 'numbers', replicaAssignment, configEntries }] });
  await admin.disconnect();
}, 180_000);
afterAll(async () => {
  await kafka?.close();
  await brokers?.stop();
});

async function append(count: number, atMs: number): Promise<void> {
  const records = Array.from({ length: count }, (_, n) => ({
    key: null,
    value: Buffer.from(JSON.stringify({ n })),
    timestampMs: atMs + n,
  }));
  const producer = kafka.producer();
  await producer.send('numbers', records);
  await producer.close();
}

const doubled = topology('doubled', { deadLetters: specs.deadLetterSink({ topic: 'doubled.dead' }) }, (t) => {
  t.source('numbers', specs.source({ topic: 'numbers', schema: json }))
    .via(
      'double',
      map(({ n }) => ({ n: 2 * n })),
    )
    .to('out', specs.sink({ topic: 'doubled', schema: json }));
});

const toTheEnd = async () => {
  const profile = {
    name: 'test',
    sources: { kafka: kafka.source },
    sinks: { kafka: kafka.topicSink },
    openLedger: kafka.openLedger,
    schemas: localRegistry(),
    close: async () => undefined,
  };
  const running = await runTopology(doubled, { profile, inference: noInference, bounded: true });
  await running.finished;
};

const written = () => kafka.logEnds('doubled').then(([log]) => log?.stableEnd);

it('a run does not go on where an unclean election has taken away what it has read', async () => {
  await append(10, 0);
  await brokers.kill(2);
  await append(100, 10);
  await toTheEnd();
  const before = await written();

  await brokers.kill(1);
  brokers.begin(2);
  const cluster = await Cluster.open({ brokers: brokers.brokers.slice(1) });
  await vi.waitFor(
    async () => {
      await cluster.refresh('numbers');
      expect(`127.0.0.1:${(await cluster.leader('numbers', 0)).address.port}`).toBe(brokers.brokers[1]);
    },
    { timeout: 90_000, interval: 500 },
  );
  // The log grows beyond the offset again: only the leader's epoch tells.
  await append(300, 110);
  expect(await cluster.endOffset('numbers', 0, 'any')).toBe(310);
  await cluster.close();

  await expect(toTheEnd()).rejects.toMatchObject({ code: 'source', permanent: true });
  expect(await written()).toBe(before);
}, 300_000);
