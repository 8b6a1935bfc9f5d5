import type { Admin, TopicSettings } from './admin.js';

/** A changelog is read whole at a restore: compact it early, in segments of 64 MiB, and let a bucket be large. */
const SETTINGS: TopicSettings = {
  'cleanup.policy': 'compact',
  'min.cleanable.dirty.ratio': '0.2',
  'segment.bytes': String(64 * 1024 * 1024),
  'max.message.bytes': String(32 * 1024 * 1024),
};

/** Sees to it that a changelog has room for `partitions` tasks; a task's partition is its number, so adding some is safe. */
export async function ensureChangelog(admin: Admin, topic: string, partitions: number): Promise<void> {
  await admin.ensureTopic(topic, partitions, SETTINGS);
  await admin.growTopic(topic, partitions);
}
