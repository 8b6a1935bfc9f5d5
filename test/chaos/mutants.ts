import { statSync } from 'node:fs';
import { join } from 'node:path';
import { TableWriter } from '../../connectors/clickhouse/table/writer.js';
import { FolderStore } from '../../connectors/file/folder-store.js';
import { HIDDEN } from '../../connectors/file/written.js';
import { BatchSender } from '../../connectors/kafka/batch-sender.js';
import { Cluster } from '../../connectors/kafka/connection/cluster.js';
import { PartitionLog } from '../../connectors/kafka/partition-log.js';
import { TableWriter as PostgresWriter } from '../../connectors/postgres/writer.js';
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
  /** The checkpoint does not wait for the transactions of Postgres. */
  'postgres-unacknowledged'() {
    PostgresWriter.prototype.prepare = async () => undefined;
  },
  /** Rows are inserted into Postgres whether they are above the fence or not. */
  'postgres-unfenced'() {
    Object.assign(PostgresWriter.prototype, { lockFence: async () => ({}) });
  },
  /** A file that is taken over keeps what was appended after the checkpoint. */
  'file-untruncated'() {
    const { adopt } = FolderStore.prototype;
    FolderStore.prototype.adopt = function (name, kept) {
      const { temp, bytes } = kept as { readonly temp: string; readonly bytes: number };
      const folder = (this as unknown as { readonly options: { readonly folder: string } }).options.folder;
      const whole = statSync(join(folder, HIDDEN, temp), { throwIfNoEntry: false })?.size ?? bytes;
      return adopt.call(this, name, { temp, bytes: whole });
    };
  },
} as const satisfies Readonly<Record<string, () => void>>;

export type Mutant = keyof typeof mutants;
