import { kafka as specs } from '../../../connectors/kafka/index.js';
import { openKafka } from '../../../connectors/kafka/open.js';
import type { Sink, Source } from '../../../src/core/io.js';
import { localRegistry } from '../../../src/schema/index.js';
import type { SinkFaultWorld } from '../../../src/testing/fault-contract.js';
import { FaultProxy } from '../../../src/testing/fault-proxy.js';
import type { SourceFaultWorld } from '../../../src/testing/source-fault-contract.js';
import { lastingPorts } from '../../chaos/ports.js';
import { OwnBroker } from '../kafka/own-broker.js';
import { foreignRead, json, librdkafkaAt, settled } from '../kafka/world.js';
import { fresh, shared } from './shared.js';

/** A broker that sends clients of one listener to the proxy. */
const broker = shared(async () => {
  const [proxyPort = 0] = await lastingPorts(1);
  const listeners = [{ name: 'FAULTS', protocol: 'PLAINTEXT', advertisedPort: proxyPort }] as const;
  const own = await OwnBroker.start({ listeners, settings: () => '' });
  return { own, proxyPort, stop: () => own.stop() };
});

async function opened(name: string) {
  const { own, proxyPort } = await broker();
  const proxy = await FaultProxy.open(Number(own.address('FAULTS').split(':')[1]), { at: proxyPort });
  const few = { registry: localRegistry(), prefix: name, patienceMs: 1_500, requestTimeoutMs: 700 };
  const kafka = await openKafka({ brokers: [`127.0.0.1:${proxyPort}`], ...few });
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
async function topicSink(sink: (topic: string) => Sink<unknown>, value: (n: number) => unknown, numberOf: NumberOf) {
  const topic = fresh();
  const { kafka, proxy, own, address } = await opened(topic);
  return {
    driver: kafka.topicSink,
    sink: sink(topic),
    openLedger: kafka.openLedger,
    value,
    keyOf: (n) => n % 7,
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
  } satisfies SinkFaultWorld;
}

type NumberOf = (record: Awaited<ReturnType<typeof foreignRead>>[number]) => number;

export const sinks = {
  'kafka.sink': () =>
    topicSink(
      (topic) => specs.sink({ topic, schema: json, key: ({ n }) => `k${n % 7}` }) as Sink<unknown>,
      (n) => ({ n }),
      ({ value }) => (JSON.parse(value ?? '') as { n: number }).n,
    ),
};

export const sources = {
  async 'kafka.source'(): Promise<SourceFaultWorld> {
    const topic = fresh();
    const { kafka, proxy, address } = await opened(topic);
    await kafka.createTopic(topic, 1);
    const direct = await openKafka({ brokers: [address], registry: localRegistry() });
    return {
      driver: kafka.source,
      source: specs.source({ topic, schema: json }) as Source<unknown>,
      async append(numbers) {
        const producer = direct.producer();
        const value = (n: number) => Buffer.from(JSON.stringify({ n, pad: 'x'.repeat(20_000) }));
        const records = numbers.map((n) => ({ key: null, value: value(n), timestampMs: n }));
        await producer.append(topic, 0, records);
        await producer.close();
      },
      numberOf: ({ value }) => (JSON.parse(Buffer.from(value ?? []).toString()) as { n: number }).n,
      proxy,
      async close() {
        await Promise.all([kafka.close(), direct.close()]);
        await proxy.close();
      },
    };
  },
};
