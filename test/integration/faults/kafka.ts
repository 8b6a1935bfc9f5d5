import { kafka as specs } from '../../../connectors/kafka/index.js';
import { openKafka } from '../../../connectors/kafka/open.js';
import { deadLetterHeaders } from '../../../connectors/kafka/topic-options.js';
import type { Sink } from '../../../src/core/sink.js';
import type { Source } from '../../../src/core/source.js';
import { localRegistry } from '../../../src/schema/index.js';
import { originAt } from '../../../src/testing/contract.js';
import type { SinkFaultWorld } from '../../../src/testing/fault-contract.js';
import { FaultProxy } from '../../../src/testing/fault-proxy.js';
import type { SourceFaultWorld } from '../../../src/testing/source-fault-contract.js';
import { lastingPorts } from '../../ports.js';
import { OwnBroker } from '../kafka/own-broker.js';
import { type ForeignRecord, foreignRead, json, librdkafkaAt, settled } from '../kafka/world.js';
import { fresh, shared } from './shared.js';

/** A killed broker may not register again before its controller has given it up: nine seconds by default. */
const soonMissed = 'broker.session.timeout.ms=3000\nbroker.heartbeat.interval.ms=500';

/** A broker that sends clients of one listener to the proxy. */
const broker = shared(async () => {
  const [proxyPort = 0] = await lastingPorts(1);
  const listeners = [{ name: 'FAULTS', protocol: 'PLAINTEXT', advertisedPort: proxyPort }] as const;
  const own = await OwnBroker.start({ listeners, settings: () => soonMissed });
  return { own, proxyPort, stop: () => own.stop() };
});

async function opened(name: string) {
  const { own, proxyPort } = await broker();
  const proxy = await FaultProxy.open(Number(own.address('FAULTS').split(':')[1]), { at: proxyPort });
  const few = { registry: localRegistry(), prefix: name, apiTimeoutMs: 1_500, requestTimeoutMs: 700 };
  const kafka = await openKafka({ brokers: [`127.0.0.1:${proxyPort}`], ...few }).catch(async (error) => {
    await proxy.close(); // the next one is to have its port
    throw error;
  });
  return { kafka, proxy, own, address: own.address() };
}

/** Settings of a topic, changed and taken back by another client. */
const setting = (address: string, topic: string, key: string, value: string) => async () => {
  const alter = (operation: 'SET' | 'DELETE') =>
    librdkafkaAt(
      address,
      `
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource
entry = ConfigEntry(args[1], args[2], incremental_operation=AlterConfigOpType[args[3]])
resource = ConfigResource(ConfigResource.Type.TOPIC, args[0], incremental_configs=[entry])
admin = AdminClient({'bootstrap.servers': broker})
for future in admin.incremental_alter_configs([resource]).values(): future.result()
print(1)`,
      topic,
      key,
      value,
      operation,
    );
  await alter('SET');
  return async () => void (await alter('DELETE'));
};

/** A topic of two partitions by key, with its ledger in the same transactions. */
async function topicSink({ sink, value, numberOf, keyOf = (n) => n % 7 }: TopicKind): Promise<SinkFaultWorld> {
  const topic = fresh();
  const { kafka, proxy, own, address } = await opened(topic);
  return {
    driver: kafka.topicSink,
    sink: sink(topic),
    openLedger: kafka.openLedger,
    value,
    keyOf,
    proxy,
    async restart() {
      // One broker by itself that dies over the markers of a commit never writes them, and says that it has.
      await settled(topic, address);
      await own.restart();
    },
    refusedForNow: setting(address, topic, 'min.insync.replicas', '2'),
    refusedForGood: setting(address, topic, 'max.message.bytes', '100'),
    async visible() {
      await settled(topic, address);
      return (await foreignRead(topic, address)).map(numberOf);
    },
    async close() {
      await kafka.close();
      await proxy.close();
    },
  };
}

interface TopicKind {
  sink(topic: string): Sink<unknown>;
  value(n: number): unknown;
  numberOf(record: ForeignRecord): number;
  keyOf?(n: number): unknown;
}

const numberIn = (value: string | null): number => (JSON.parse(value ?? '') as { n: number }).n;

/** Every tenth change says that nothing is true any more of a key, which nothing else is said of. */
const isGone = (n: number) => n % 10 === 9;
const changedKey = (n: number) => (isGone(n) ? `gone-${n}` : `k${n % 7}`);

export const sinks = {
  'kafka.sink': () =>
    topicSink({
      sink: (topic) => specs.sink({ topic, schema: json, key: ({ n }) => `k${n % 7}` }) as Sink<unknown>,
      value: (n) => ({ n }),
      numberOf: ({ value }) => numberIn(value),
    }),
  'kafka.upsertSink': () =>
    topicSink({
      // Markers of today behind records of long ago end a segment, which could be compacted while the test runs.
      sink: (topic) =>
        specs.upsertSink({ topic, schema: json, configs: { 'min.cleanable.dirty.ratio': 1 } }) as Sink<unknown>,
      value: (n) => ({ key: changedKey(n), before: null, after: isGone(n) ? null : { n } }),
      numberOf: ({ key, value }) => (value === null ? Number(key?.replace('gone-', '')) : numberIn(value)),
      keyOf: changedKey,
    }),
  'kafka.deadLetterSink': () =>
    topicSink({
      sink: (topic) => specs.deadLetterSink({ topic }) as Sink<unknown>,
      value: (n) => ({ reason: 'late', detail: 'too late', step: 'in', origin: originAt(n, n % 2) }),
      numberOf: ({ headers }) => Number(new Map(headers).get(deadLetterHeaders.offset)),
      keyOf: (n) => n % 2,
    }),
};

/** So much that there is still something to fetch after what lies ready when a fault comes. */
const PAD_BYTES = 60_000;

export const sources = {
  async 'kafka.source'(): Promise<SourceFaultWorld> {
    const topic = fresh();
    const { kafka, proxy, own, address } = await opened(topic);
    await kafka.createTopic(topic, 1);
    const direct = await openKafka({ brokers: [address], registry: localRegistry() });
    return {
      driver: kafka.source,
      source: specs.source({ topic, schema: json }) as Source<unknown>,
      async append(numbers) {
        const producer = direct.producer();
        const value = (n: number) => Buffer.from(JSON.stringify({ n, pad: 'x'.repeat(PAD_BYTES) }));
        const records = numbers.map((n) => ({ key: null, value: value(n), timestampMs: n }));
        await producer.append(topic, 0, records);
        await producer.close();
      },
      numberOf: ({ value }) => (JSON.parse(Buffer.from(value ?? []).toString()) as { n: number }).n,
      proxy,
      restart: () => own.restart(),
      async close() {
        await Promise.all([kafka.close(), direct.close()]);
        await proxy.close();
      },
    };
  },
};
