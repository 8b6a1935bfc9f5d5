import { afterEach, describe, it, vi } from 'vitest';
import { kafka as specs } from '../../../connectors/kafka/index.js';
import type { Kafka } from '../../../connectors/kafka/open.js';
import { deadLetterHeaders } from '../../../connectors/kafka/topic-options.js';
import type { Sink } from '../../../src/core/sink.js';
import { type ContractCheck, originAt } from '../../../src/testing/contract.js';
import { asJson, hostileValuesContract } from '../../../src/testing/hostile-values.js';
import { ledgerContract } from '../../../src/testing/ledger-contract.js';
import { sinkContract } from '../../../src/testing/sink-contract.js';
import { sourceContract } from '../../../src/testing/source-contract.js';
import { json, readAll, sink, source } from '../../integration/kafka/world.js';
import { text } from './batches.js';
import { memoryKafka } from './memory-kafka.js';

// The contracts that test/integration/kafka runs against a broker, here against brokers in memory.

afterEach(() => {
  vi.restoreAllMocks();
});

const runAll = (checks: readonly ContractCheck[]) => {
  for (const { name, run } of checks) it(name, run);
};

/** What is committed in both partitions of a topic. */
const committed = async (kafka: Kafka) => [await readAll(kafka, 'topic', 0), await readAll(kafka, 'topic', 1)].flat();

describe('a topic as a source', () => {
  runAll(
    sourceContract(async () => {
      const kafka = await memoryKafka().connect();
      await kafka.createTopic('topic', 2);
      const producer = kafka.producer();
      return {
        driver: kafka.source,
        source: source('topic'),
        append: (partition, records) => producer.append('topic', partition, records),
        close: () => kafka.close(),
      };
    }),
  );
});

describe.each([false, true])('with an epoch for each transaction: %s', (ownEpochs) => {
  const opened = async (spec: Sink<unknown>) => {
    const kafka = await memoryKafka({ ownEpochs }).connect();
    return { kafka, driver: kafka.topicSink, sink: spec, openLedger: kafka.openLedger, close: () => kafka.close() };
  };

  describe('a topic as a sink', () => {
    runAll(
      sinkContract('transactional', async () => {
        const { kafka, ...world } = await opened(sink('topic', ({ n }) => `k${n % 7}`));
        return {
          ...world,
          value: (n) => ({ n }),
          visible: async () => (await committed(kafka)).map(({ value }) => JSON.parse(text(value) ?? '').n as number),
        };
      }),
    );
  });

  describe('a topic of dead letters', () => {
    runAll(
      sinkContract('transactional', async () => {
        const { kafka, ...world } = await opened(specs.deadLetterSink({ topic: 'topic' }) as Sink<unknown>);
        return {
          ...world,
          value: (n) => ({ reason: 'r', detail: 'd', step: 's', origin: originAt(n, n % 2) }),
          visible: async () =>
            (await committed(kafka)).map(({ headers }) =>
              Number(text(headers?.find(([name]) => name === deadLetterHeaders.offset)?.[1])),
            ),
        };
      }),
    );
  });

  describe('a changelog topic as a ledger', () => {
    runAll(
      ledgerContract(async () => {
        const brokers = memoryKafka({ ownEpochs });
        const all = [await brokers.connect()];
        return {
          openLedger: (task) => (all.at(-1) as Kafka).openLedger(task),
          restart: async () => void all.push(await brokers.connect()),
          async close() {
            for (const kafka of all) await kafka.close();
          },
        };
      }),
    );
  });
});

describe('hostile values in a topic', () => {
  runAll(
    hostileValuesContract(async () => {
      const kafka = await memoryKafka().connect();
      return {
        driver: kafka.topicSink,
        sink: specs.sink({
          topic: 'topic',
          schema: json,
          configs: { 'max.message.bytes': 1_000_000 },
        }) as Sink<unknown>,
        openLedger: kafka.openLedger,
        row: (n, v) => ({ n, v }),
        plain: 'plain',
        read: async () =>
          new Map(
            (await committed(kafka)).map(({ value }) => {
              const { n, v } = JSON.parse(text(value) ?? '') as { n: number; v: unknown };
              return [n, v];
            }),
          ),
        stored: asJson,
        close: () => kafka.close(),
      };
    }),
  );
});
