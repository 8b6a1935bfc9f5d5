import { partitionOf } from '../../core/partition.js';
import type { TopicProducer } from '../../core/profile.js';
import type { OutgoingRecord } from '../../core/record.js';
import { getOrInsert } from '../../util/maps.js';
import { BlobWriter } from './record-blob.js';
import { retentionOf } from './retention.js';
import type { Store } from './store.js';
import type { TopicLog } from './topic-log.js';

/**
 * Writes into topics from outside a topology. A `send` is one atomic step of the store: all of its records are there,
 * in their order within each partition, or none. Records without a key take turns among the partitions.
 */
export function openProducer(store: Store, log: TopicLog): TopicProducer {
  let turn = 0;
  return {
    async createTopic(topic, partitions, configs) {
      const retention = retentionOf(topic, configs);
      await log.create(topic, partitions);
      if (retention !== undefined) await log.retain(topic, retention);
    },

    async send(topic, records) {
      store.mustWork();
      const partitions = log.partitionsOf(topic);
      const writers = new Map<number, BlobWriter>();
      for (const { key, value, timestampMs, headers } of records) {
        const partition = key === null ? turn++ % partitions : partitionOf(key, partitions);
        getOrInsert(writers, partition, () => new BlobWriter()).append(key, value, timestampMs, headers);
      }
      await commit(store, log, topic, writers);
    },

    append: (topic, partition, records) => appendTo({ store, log }, topic, partition, records),

    close: async () => undefined,
  };
}

/** Appends to one partition whatever the keys say: for copies of other logs. Atomic, like a `send`. */
export async function appendTo(
  { store, log }: { readonly store: Store; readonly log: TopicLog },
  topic: string,
  partition: number,
  records: readonly OutgoingRecord[],
): Promise<void> {
  store.mustWork();
  const writer = new BlobWriter();
  for (const { key, value, timestampMs, headers } of records) writer.append(key, value, timestampMs, headers);
  await commit(store, log, topic, new Map([[partition, writer]]));
}

async function commit(
  store: Store,
  log: TopicLog,
  topic: string,
  writers: ReadonlyMap<number, BlobWriter>,
): Promise<void> {
  const appends = [...writers].map(([partition, writer]) => log.append(topic, partition, writer.take()));
  await store.commit(appends.flatMap(({ writes }) => writes));
  for (const { publish } of appends) publish();
}
