import { MillraceError } from '../../../src/core/errors.js';
import type { Admin, TopicSettings } from '../admin.js';

/**
 * A restore reads the whole changelog, so it is compacted early, in segments of 64 MiB, and records may be large. Besides the state
 * the broker then keeps a quarter of it in overwritten records, and the newest segment uncompacted.
 * The broker's clock dates the records: a broker refuses records that are dated an hour ahead of it, as a wrong clock here would.
 */
const SETTINGS: TopicSettings = {
  'cleanup.policy': 'compact',
  'min.cleanable.dirty.ratio': '0.2',
  'segment.bytes': String(64 * 1024 * 1024),
  'max.message.bytes': String(32 * 1024 * 1024),
  'message.timestamp.type': 'LogAppendTime',
};

/**
 * Ensures that a changelog has `partitions` partitions. A task's partition is its number, so adding some is safe.
 *
 * @throws MillraceError `config` if the topic exists and is not only compacted: state that does not change would be deleted.
 */
export async function ensureChangelog(admin: Admin, topic: string, partitions: number): Promise<void> {
  await admin.ensureTopic(topic, partitions, SETTINGS);
  await admin.growTopic(topic, partitions);
  const policy = await admin.setting(topic, 'cleanup.policy');
  if (policy === 'compact') return;
  throw new MillraceError('config', `the changelog has cleanup.policy '${policy}', not 'compact'`, {
    where: topic,
    hint: 'Kafka would delete state by age: kafka-configs --alter --topic NAME --add-config cleanup.policy=compact',
    permanent: true,
  });
}
