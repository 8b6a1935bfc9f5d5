import { initProducerIdV5 } from '@platformatic/kafka';
import { MillraceError, TooLarge } from '../../src/core/errors.js';
import { partitionOf } from '../../src/core/partition.js';
import type { TopicProducer } from '../../src/core/profile.js';
import type { OutgoingRecord } from '../../src/core/record.js';
import type { Admin, TopicSettings } from './admin.js';
import { BatchSender, producingOver } from './batch-sender.js';
import { type Cluster, noTopic } from './connection/cluster.js';
import { ConnectionPool } from './connection/connection-pool.js';
import { brokerError, code, hasCode } from './protocol/broker-error.js';
import { RecordAccumulator } from './record-accumulator.js';
import type { Compression } from './topic-options.js';

interface Identity {
  readonly producerId: bigint;
  readonly producerEpoch: number;
  readonly transactional: false;
}

const NOBODY: Identity = { producerId: -1n, producerEpoch: -1, transactional: false };

type ChoosePartition = (record: OutgoingRecord, partitions: number) => number;

/**
 * Appends to topics from outside a topology: loaders, tests, tools. Records are acknowledged by all in-sync replicas. The producer
 * is idempotent: records that are sent again after a lost connection are appended once.
 *
 * Brokers forget a producer when its newest record in a partition is older than `producer.id.expiration.ms` (a day), by the timestamp
 * of the record unless the topic has `message.timestamp.type=LogAppendTime`. Records of the past that are sent again after a broker
 * has been restarted may therefore be appended twice.
 */
export class KafkaProducer implements TopicProducer {
  private readonly connections: ConnectionPool;
  private sender: BatchSender;
  private accumulator: RecordAccumulator;
  private identity = NOBODY;
  private turn = 0;
  private sending: Promise<void> = Promise.resolve();

  constructor(
    private readonly cluster: Cluster,
    private readonly admin: Admin,
    private readonly compression?: Compression,
  ) {
    this.connections = new ConnectionPool(cluster.linkOptions);
    this.sender = this.newSender();
    this.accumulator = this.newAccumulator();
  }

  createTopic(topic: string, partitions: number | undefined, configs?: TopicSettings): Promise<void> {
    return this.admin.createTopic(topic, partitions, configs);
  }

  /**
   * Appends records; resolves when all are acknowledged. Keys choose the partition by murmur2; records without a key are
   * distributed round-robin. Memory: the records of one call, encoded.
   *
   * @throws MillraceError `sink`; `TooLarge` for a record that the topic does not take. Some of the records may be in the log then.
   * Later calls have another identity, since the sequence numbers of this one have a gap.
   */
  send(topic: string, records: readonly OutgoingRecord[]): Promise<void> {
    return this.inTurn(topic, records, ({ key }, partitions) =>
      key ? partitionOf(key, partitions) : this.turn++ % partitions,
    );
  }

  /** Like `send`, into one partition. */
  append(topic: string, partition: number, records: readonly OutgoingRecord[]): Promise<void> {
    return this.inTurn(topic, records, (_, partitions) => {
      if (partition < partitions) return partition;
      throw new MillraceError('sink', `topic '${topic}' has no partition ${partition}`, {
        where: topic,
        hint: `it has ${partitions}, counted from 0`,
      });
    });
  }

  async close(): Promise<void> {
    await this.sending;
    await this.connections.close();
  }

  private inTurn(topic: string, records: readonly OutgoingRecord[], choose: ChoosePartition): Promise<void> {
    const sent = this.sending.then(() => this.write(topic, records, choose));
    this.sending = sent.catch(() => undefined); // the caller gets the error
    return sent;
  }

  private async write(topic: string, records: readonly OutgoingRecord[], choose: ChoosePartition): Promise<void> {
    const partitions = (await this.cluster.topic(topic))?.leaders.length;
    if (partitions === undefined) throw noTopic(topic);
    if (this.identity.producerId < 0n) this.identity = await this.identify();
    for (const record of records) this.accumulator.add(topic, choose(record, partitions), record);
    try {
      await this.sender.send(this.accumulator.takeAll());
      await this.sender.flush();
    } catch (error) {
      this.renew();
      const failed = brokerError('sink', `cannot append to topic '${topic}'`, error, { where: topic });
      if (!hasCode(error, code.messageTooLarge, code.recordListTooLarge)) throw failed;
      const { message, hint } = failed;
      throw new TooLarge('sink', message, {
        where: topic,
        permanent: true,
        cause: error,
        ...(hint !== undefined && { hint }),
      });
    }
  }

  private renew(): void {
    this.identity = NOBODY;
    this.sender = this.newSender();
    this.accumulator = this.newAccumulator();
  }

  private newSender(): BatchSender {
    return new BatchSender(this.cluster, producingOver(this.connections, null));
  }

  private newAccumulator(): RecordAccumulator {
    return new RecordAccumulator(() => this.identity, this.compression);
  }

  private async identify(): Promise<Identity> {
    const ask = async () =>
      this.connections.request(await this.cluster.anyBroker(), initProducerIdV5.api, null, 0, -1n, -1);
    const { producerId, producerEpoch } = await this.cluster.patiently('sink', 'cannot get a producer id', ask);
    return { producerId, producerEpoch, transactional: false };
  }
}
