import { topicNameProblems } from '../../../connectors/kafka/topic-name.js';
import { MillraceError } from '../../core/errors.js';
import { partitionOf } from '../../core/partition.js';
import type { TopicProducer } from '../../core/profile.js';
import type { OutgoingRecord } from '../../core/record.js';
import { counted } from '../../util/counted.js';
import { getOrInsert } from '../../util/maps.js';
import { BlobWriter } from './record-blob.js';
import { retentionOf } from './retention.js';
import type { Store } from './store.js';
import type { TopicLog } from './topic-log.js';

/** Each costs memory in this process, used or not. */
const PARTITIONS_MAX = 10_000;

/**
 * Writes into topics from outside a topology. A `send` is one atomic step of the store: all of its records are there,
 * in their order within each partition, or none. Records without a key take turns among the partitions.
 */
export function openProducer(store: Store, log: TopicLog): TopicProducer {
  let turn = 0;
  return {
    async createTopic(topic, partitions, configs) {
      mustBeTopic(topic, partitions);
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

/** A broker refuses the same: a name that no topology can use, and a number with which nothing can be written. */
function mustBeTopic(topic: string, partitions: number | undefined): void {
  const [problem] = topicNameProblems(topic);
  if (problem) throw new MillraceError('config', problem.message, { where: 'topic', hint: problem.hint });
  if (partitions === undefined || (Number.isInteger(partitions) && partitions >= 1 && partitions <= PARTITIONS_MAX))
    return;
  throw new MillraceError('config', `a topic cannot have ${counted(partitions, 'partition')}`, {
    where: topic,
    hint: `give 1 to ${PARTITIONS_MAX.toLocaleString('en-US')}`,
  });
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
