import { Consumer, MessagesStreamModes, Producer } from '@platformatic/kafka';
import { type Carrier, FETCH_BYTES, inChunks, PARTITIONS } from './carrier.js';

const READ_COMMITTED = 1;

const buffer = (bytes: Uint8Array | null): Buffer => bytes as Buffer;

/** The client whose connections we use, with the producer and the consumer that it has itself. */
export async function byPlatformatic(broker: string): Promise<Carrier> {
  const bootstrapBrokers = [broker];
  const producer = new Producer({ clientId: 'bench', bootstrapBrokers });
  let groups = 0;
  return {
    name: '@platformatic/kafka',
    async write(topic, records) {
      for (const chunk of inChunks(records)) {
        const messages = chunk.map(({ key, value, timestampMs }) => ({
          topic,
          key: buffer(key),
          value: buffer(value),
          timestamp: BigInt(timestampMs),
        }));
        await producer.send({ messages, acks: -1 });
      }
      return records.length;
    },
    async read(topic, reader, from) {
      const consumer = new Consumer({ clientId: 'bench', groupId: `platformatic-${groups++}`, bootstrapBrokers });
      const start =
        from === undefined
          ? { mode: MessagesStreamModes.EARLIEST }
          : { mode: MessagesStreamModes.MANUAL, offsets: [{ topic, partition: 0, offset: BigInt(from) }] };
      const stream = await consumer.consume({
        topics: [topic],
        ...start,
        isolationLevel: READ_COMMITTED,
        autocommit: false,
        maxBytes: FETCH_BYTES * PARTITIONS,
        maxBytesPerPartition: FETCH_BYTES,
      });
      reader.begin();
      stream.on('data', ({ key, value }) => {
        reader.record(key, value);
      });
      await reader.whole;
      await stream.close();
      await consumer.close(true);
    },
    close: () => producer.close(),
  };
}
