import { describe, it } from 'vitest';
import { kafka as specs } from '../../../connectors/kafka/index.js';
import type { Kafka } from '../../../connectors/kafka/open.js';
import { deadLetterHeaders } from '../../../connectors/kafka/topic-options.js';
import type { Sink } from '../../../src/core/sink.js';
import { type ContractCheck, originAt } from '../../../src/testing/contract.js';
import { asJson, hostileValuesContract } from '../../../src/testing/hostile-values.js';
import { ledgerContract } from '../../../src/testing/ledger-contract.js';
import { sinkContract } from '../../../src/testing/sink-contract.js';
import { sourceContract } from '../../../src/testing/source-contract.js';
import { foreignProducer, foreignRead, foreignSend, fresh, json, open, settled, sink, source } from './world.js';

const runAll = (checks: readonly ContractCheck[]) => {
  for (const { name, run } of checks) it(name, run);
};

describe('a topic as a source, written by kafkajs', () => {
  runAll(
    sourceContract(async () => {
      const topic = fresh('source');
      const kafka = await open();
      await kafka.createTopic(topic, 2);
      const producer = await foreignProducer();
      return {
        driver: kafka.source,
        source: source(topic),
        append: (partition, records) => foreignSend(producer, topic, partition, records),
        async close() {
          await producer.disconnect();
          await kafka.deleteTopic(topic);
          await kafka.close();
        },
      };
    }),
  );
});

describe('a topic as a sink, read by librdkafka', () => {
  runAll(
    sinkContract('transactional', async () => {
      const topic = fresh('sink');
      const kafka = await open({ prefix: topic });
      return {
        driver: kafka.topicSink,
        sink: sink(topic, ({ n }) => `k${n % 7}`),
        openLedger: kafka.openLedger,
        value: (n) => ({ n }),
        visible: async () =>
          (await settledRead(topic)).map(({ value }) => (JSON.parse(value ?? '') as { n: number }).n),
        close: () => closeWith(kafka, topic),
      };
    }),
  );
});

describe('hostile values in a topic, read by librdkafka', () => {
  runAll(
    hostileValuesContract(async () => {
      const topic = fresh('hostile');
      const kafka = await open({ prefix: topic });
      return {
        driver: kafka.topicSink,
        sink: specs.sink({
          topic,
          schema: json,
          settings: { 'max.message.bytes': '1000000' },
        } as never) as Sink<unknown>,
        openLedger: kafka.openLedger,
        row: (n, v) => ({ n, v }),
        plain: 'plain',
        read: async () =>
          new Map(
            (await settledRead(topic)).map(({ value }) => {
              const { n, v } = JSON.parse(value ?? '') as { n: number; v: unknown };
              return [n, v];
            }),
          ),
        stored: asJson,
        close: () => closeWith(kafka, topic),
      };
    }),
  );
});

describe('a topic of dead letters, read by librdkafka', () => {
  runAll(
    sinkContract('transactional', async () => {
      const topic = fresh('dead');
      const kafka = await open({ prefix: topic });
      return {
        driver: kafka.topicSink,
        sink: specs.deadLetterSink({ topic }) as Sink<unknown>,
        openLedger: kafka.openLedger,
        value: (n) => ({ reason: 'r', detail: 'd', step: 's', origin: originAt(n, n % 2) }),
        visible: async () =>
          (await settledRead(topic)).map(({ headers }) => Number(new Map(headers).get(deadLetterHeaders.offset))),
        close: () => closeWith(kafka, topic),
      };
    }),
  );
});

describe('a changelog topic as a ledger', () => {
  runAll(
    ledgerContract(async () => {
      const prefix = fresh('ledger');
      // What was open before a restart is left as a killed process would leave it, and closed at the end.
      const opened: Kafka[] = [await open({ prefix })];
      return {
        openLedger: (task) => (opened.at(-1) as Kafka).openLedger(task),
        async restart() {
          opened.push(await open({ prefix }));
        },
        async close() {
          for (const topology of ['contract', 'contract-2'])
            await opened[0]?.deleteTopic(`${prefix}.${topology}.changelog`);
          for (const kafka of opened) await kafka.close();
        },
      };
    }),
  );
});

async function settledRead(topic: string) {
  await settled(topic); // the prefix of its transactional ids too
  return foreignRead(topic);
}

async function closeWith(kafka: Kafka, topic: string): Promise<void> {
  await kafka.deleteTopic(topic);
  await kafka.deleteTopic(`${topic}.contract.changelog`);
  await kafka.close();
}
