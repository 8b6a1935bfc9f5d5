import { Kafka, logLevel, Partitioners } from 'kafkajs';
import { type Carrier, FETCH_BYTES, inChunks, PARTITIONS } from './carrier.js';

const buffer = (bytes: Uint8Array | null): Buffer | null => bytes as Buffer | null;

export async function byKafkajs(broker: string): Promise<Carrier> {
  const kafka = new Kafka({ brokers: [broker], logLevel: logLevel.NOTHING });
  const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner });
  await producer.connect();
  let groups = 0;
  return {
    name: 'kafkajs',
    async write(topic, records) {
      for (const chunk of inChunks(records)) {
        const messages = chunk.map(({ key, value, timestampMs }) => ({
          key: buffer(key),
          value: buffer(value),
          timestamp: String(timestampMs),
        }));
        await producer.send({ topic, messages, acks: -1 });
      }
      return records.length;
    },
    async read(topic, reader, from) {
      const consumer = kafka.consumer({ groupId: `kafkajs-${groups++}`, maxBytesPerPartition: FETCH_BYTES });
      consumer.on(consumer.events.GROUP_JOIN, () => reader.begin());
      await consumer.connect();
      await consumer.subscribe({ topic, fromBeginning: true });
      await consumer.run({
        autoCommit: false,
        eachBatchAutoResolve: true,
        partitionsConsumedConcurrently: PARTITIONS,
        async eachBatch({ batch }) {
          for (const { key, value } of batch.messages) reader.record(key, value);
        },
      });
      if (from !== undefined) consumer.seek({ topic, partition: 0, offset: String(from) });
      await reader.whole;
      await consumer.disconnect();
    },
    close: () => producer.disconnect(),
  };
}
