import { topicNameProblems } from '../../connectors/kafka/topic-name.js';
import { MillraceError } from '../core/errors.js';
import type { TopicProducer } from '../core/profile.js';
import type { OutgoingRecord } from '../core/record.js';
import { getOrInsert } from '../util/maps.js';
import { ABSENT, type FoundLetter, replayOf } from './dead-letters.js';

export interface ReplayCount {
  readonly topic: string;
  readonly partition: number;
  readonly records: number;
}

const BATCH = 1_000;

/**
 * Sends letters back to the topic and partition that they came from, in their order. Without a producer it only counts.
 *
 * Sending is not atomic over batches of 1,000, and the letters stay where they are: sending twice is up to the caller.
 * Memory: a batch for each topic and partition.
 *
 * @throws MillraceError `config` for a letter that does not say where it came from, or does not hold its record.
 */
export async function replay(
  letters: AsyncIterable<FoundLetter>,
  deadLetterTopic: string,
  producer: Pick<TopicProducer, 'append'> | undefined,
): Promise<ReplayCount[]> {
  const batches = new Map<string, { topic: string; partition: number; records: number; waiting: OutgoingRecord[] }>();
  for await (const letter of letters) {
    const { origin } = letter;
    if (origin === undefined || !Number.isInteger(origin.partition)) {
      throw new MillraceError('config', 'a dead letter has no origin', {
        where: `${deadLetterTopic}/${letter.partition}/${letter.offset}`,
        hint: 'only dead letters that a topology wrote can be replayed: choose them by --reason or --offsets',
      });
    }
    const { topic, partition } = origin;
    if (letter.raw !== 'keep') {
      throw new MillraceError('config', `a dead letter holds no record: it is ${ABSENT[letter.raw]}`, {
        where: `${deadLetterTopic}/${letter.partition}/${letter.offset}`,
        hint: 'set MILLRACE_DEAD_LETTER_KEY for encrypted ones; choose others by --reason or --offsets',
      });
    }
    if (topicNameProblems(topic).length > 0) {
      throw new MillraceError('config', `${topic} is not a topic: its records cannot be replayed`, {
        where: `${deadLetterTopic}/${letter.partition}/${letter.offset}`,
        hint: 'fix such records at their source, under a new name; choose dead letters of topics by --step, --reason or --offsets',
      });
    }
    const batch = getOrInsert(batches, `${partition}/${topic}`, () => ({ topic, partition, records: 0, waiting: [] }));
    batch.records += 1;
    if (producer === undefined) continue;
    batch.waiting.push(replayOf(letter, deadLetterTopic));
    if (batch.waiting.length === BATCH) await producer.append(topic, partition, batch.waiting.splice(0));
  }
  for (const { topic, partition, waiting } of batches.values()) {
    if (waiting.length > 0) await producer?.append(topic, partition, waiting);
  }
  return [...batches.values()]
    .map(({ topic, partition, records }) => ({ topic, partition, records }))
    .sort((a, b) => (a.topic === b.topic ? a.partition - b.partition : a.topic < b.topic ? -1 : 1));
}
