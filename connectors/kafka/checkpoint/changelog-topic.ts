import { MillraceError } from '../../../src/core/errors.js';
import type { Admin, TopicSettings } from '../admin.js';

/**
 * A changelog is read whole at a restore: compact it early, in segments of 64 MiB, and let a bucket be large. The broker
 * then keeps, beside the state, a quarter of it that was overwritten, and the newest segment as it was written.
 */
const SETTINGS: TopicSettings = {
  'cleanup.policy': 'compact',
  'min.cleanable.dirty.ratio': '0.2',
  'segment.bytes': String(64 * 1024 * 1024),
  'max.message.bytes': String(32 * 1024 * 1024),
};

/**
 * Sees to it that a changelog has room for `partitions` tasks; a task's partition is its number, so adding some is safe.
 *
 * @throws MillraceError `config` where the topic is there and keeps its records by anything but their keys: state that
 * does not change would be deleted one day.
 */
export async function ensureChangelog(admin: Admin, topic: string, partitions: number): Promise<void> {
  await admin.ensureTopic(topic, partitions, SETTINGS);
  await admin.growTopic(topic, partitions);
  const policy = await admin.setting(topic, 'cleanup.policy');
  if (policy === 'compact') return;
  throw new MillraceError('config', `the changelog has cleanup.policy '${policy}', not 'compact'`, {
    where: topic,
    hint: 'state would be deleted by its age: kafka-configs --alter --topic NAME --add-config cleanup.policy=compact',
    permanent: true,
  });
}
