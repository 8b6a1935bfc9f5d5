import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Producer } from '@platformatic/kafka';
import avsc from 'avsc';
import { open as openLmdb } from 'lmdb';
import { kafka } from '../../connectors/kafka/index.js';
import { openKafka } from '../../connectors/kafka/open.js';
import { type Prediction, PredictionV1 } from '../../schemas/prediction.v1.js';
import { openEmbedded } from '../../src/profiles/embedded/index.js';
import { localRegistry } from '../../src/schema/index.js';
import type { Contest } from './contest.js';
import { inBatches, sinkSide } from './side.js';

const PARTITIONS = 4;
const BATCH = 5_000;

const sink = kafka.sink<Prediction>({ topic: 'predictions', schema: PredictionV1, key: (p) => p.origin });
const type = avsc.Type.forSchema(JSON.parse(readFileSync(PredictionV1.definition as URL, 'utf8')));

/** As Confluent's wire format has it. */
function encode(value: Prediction): Buffer {
  const payload = type.toBuffer(value);
  const bytes = Buffer.allocUnsafe(5 + payload.length);
  bytes.writeUInt8(0, 0);
  bytes.writeInt32BE(1, 1);
  bytes.set(payload, 5);
  return bytes;
}

export const contests: readonly Contest[] = [
  {
    name: 'kafka.sink',
    byHand: `@platformatic/kafka and avsc: send() of ${BATCH} in a transaction an epoch`,
    needs: ['kafka'],
    records: 200_000,
    async open({ kafka: broker }) {
      const opened = await openKafka({ brokers: [broker], registry: localRegistry() });
      for (const topic of ['predictions', 'by-hand']) await opened.createTopic(topic, PARTITIONS);
      return {
        sink: (run) => sinkSide(opened.topicSink, sink, run, (task) => opened.openLedger(task)),
        async byHand(run) {
          const producer = new Producer({
            clientId: 'by-hand',
            bootstrapBrokers: [broker],
            idempotent: true,
            transactionalId: `by-hand-${run}`,
          });
          let transaction = await producer.beginTransaction();
          const put = (values: readonly Prediction[]) =>
            transaction.send({
              messages: values.map((value) => ({
                topic: 'by-hand',
                key: Buffer.from(value.origin),
                value: encode(value),
              })),
            });
          return inBatches(BATCH, put, {
            async settled() {
              await transaction.commit();
              transaction = await producer.beginTransaction();
            },
            async close() {
              await transaction.abort().catch(() => undefined);
              await producer.close();
            },
          });
        },
        close: () => opened.close(),
      };
    },
  },
  {
    name: 'kafka.sink, embedded',
    byHand: 'lmdb and avsc: put() of each record, flushed an epoch',
    needs: [],
    records: 200_000,
    async open({ folder }) {
      const opened = await openEmbedded({ path: join(folder, 'embedded'), registry: localRegistry() });
      await opened.producer().createTopic('predictions', PARTITIONS);
      const store = openLmdb<Buffer, number>({ path: join(folder, 'lmdb'), encoding: 'binary' });
      let next = 0;
      return {
        sink: (run) => sinkSide(opened.topicSink, sink, run, (task) => opened.openLedger(task)),
        byHand: async () =>
          inBatches(
            BATCH,
            async (values) => {
              const puts = values.map((value) => store.put(next++, encode(value)));
              await puts[puts.length - 1];
            },
            { settled: () => store.flushed },
          ),
        async close() {
          await opened.close();
          await store.close();
        },
      };
    },
  },
];
