import { TableWriter } from '../../connectors/clickhouse/table/writer.js';
import { BatchSender } from '../../connectors/kafka/batch-sender.js';
import { Cluster } from '../../connectors/kafka/connection/cluster.js';
import { PartitionLog } from '../../connectors/kafka/partition-log.js';
import { FencedWriter } from '../../connectors/redis/fenced-writer.js';

/**
 * Connectors with one promise taken away, each by a patch of the process that it is applied in. Chaos must find every one:
 * what it does not find, it does not test.
 */
export const mutants = {
  /** The transaction is committed while brokers may not have the records yet. */
  'commit-unacknowledged'() {
    BatchSender.prototype.flush = async () => undefined;
  },
  /** A restore reads as far as readers see, where the commit of the earlier owner may not be visible yet. */
  'restore-visible-part'() {
    const { endOffset } = Cluster.prototype;
    Cluster.prototype.endOffset = function (topic, partition) {
      return endOffset.call(this, topic, partition, 'committed');
    };
  },
  /** Records of aborted transactions count, those of the changelog too. */
  'read-aborted'() {
    const { next } = PartitionLog.prototype;
    PartitionLog.prototype.next = async function () {
      return Object.assign(await next.call(this), { aborted: [] });
    };
  },
  /** The checkpoint does not wait for the acknowledgements of Redis. */
  'redis-unacknowledged'() {
    FencedWriter.prototype.prepare = async () => undefined;
  },
  /** The checkpoint does not wait for the acknowledgements of ClickHouse. */
  'clickhouse-unacknowledged'() {
    TableWriter.prototype.prepare = async () => undefined;
  },
  /** Rows that a dead process left are inserted, whether they are in the table or not. */
  'clickhouse-blind-recovery'() {
    TableWriter.prototype.recover = async function (values, origins) {
      await this.write(values, origins);
    };
  },
} as const satisfies Readonly<Record<string, () => void>>;

export type Mutant = keyof typeof mutants;
