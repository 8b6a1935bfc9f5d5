import { Cluster } from '../../connectors/kafka/connection/cluster.js';
import type { Kafka } from '../../connectors/kafka/open.js';
import { PartitionLog } from '../../connectors/kafka/partition-log.js';
import { EARLIEST } from '../../src/core/checkpoint.js';
import { type Carrier, inChunks, PARTITIONS, type Reader } from './carrier.js';

/** Our record batches over the connections of @platformatic/kafka. */
export async function byMillrace(broker: string, kafka: Kafka): Promise<Carrier> {
  const cluster = await Cluster.open({ brokers: [broker] });
  const producer = kafka.producer();
  const readPartition = async (topic: string, partition: number, reader: Reader, from: number) => {
    const end = await cluster.endOffset(topic, partition, 'committed');
    const log = await PartitionLog.open(cluster, topic, partition, from);
    reader.begin();
    while (log.offset < end) {
      const range = await log.next();
      for (let batch = range.take(); batch; batch = range.take()) {
        for (const { key, value } of batch) reader.record(key, value);
      }
    }
    await log.close();
  };
  return {
    name: 'Millrace',
    async write(topic, records) {
      for (const chunk of inChunks(records)) await producer.send(topic, chunk);
      return records.length;
    },
    async read(topic, reader, from) {
      const partitions = from === undefined ? Array.from({ length: PARTITIONS }, (_, n) => n) : [0];
      await Promise.all(partitions.map((partition) => readPartition(topic, partition, reader, from ?? EARLIEST)));
    },
    close: () => cluster.close(),
  };
}
