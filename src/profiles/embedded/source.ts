import { EARLIEST } from '../../core/checkpoint.js';
import { MillraceError } from '../../core/errors.js';
import { bytesOf, type RawRecord } from '../../core/record.js';
import type { SourceDriver, SourceReader } from '../../core/source.js';
import type { BlobReader } from './record-blob.js';
import type { TaskOwners } from './task-outputs.js';
import type { TopicLog } from './topic-log.js';

/** How long a poll waits for an append where there is nothing to read. */
const POLL_WAIT_MS = 100;

/** Reads topics of the embedded log; the task's partition is the topic's. */
export function logSource(log: TopicLog, owners: TaskOwners): SourceDriver {
  return {
    partitions: async ({ topic }) => log.partitionsOf(topic),
    open: async ({ topic }, { task, step, partition, offset, bounded }) => {
      owners.addInput(task, step, topic);
      return openReader(log, topic, partition, offset === EARLIEST ? 0 : offset, bounded);
    },
  };
}

function openReader(log: TopicLog, topic: string, partition: number, from: number, bounded: boolean): SourceReader {
  const endAtOpen = log.endOffset(topic, partition);
  if (from > endAtOpen || from < 0) {
    throw new MillraceError('source', `offset ${from} of ${topic}/${partition} is beyond its end, ${endAtOpen}`, {
      where: topic,
      hint: 'the checkpoint belongs to another log: use its data folder, or run `millrace offsets reset FILE --to earliest --drop-state`',
    });
  }
  let offset = from;
  let blob: BlobReader | undefined;
  let closed = false;

  const end = (): number => (bounded ? endAtOpen : log.endOffset(topic, partition));
  const take = (recordsMax: number, bytesMax: number): RawRecord[] => {
    const records: RawRecord[] = [];
    const until = Math.min(end(), offset + recordsMax);
    let bytes = 0;
    while (offset < until && bytes < bytesMax) {
      if (blob === undefined || blob.done) blob = log.open(topic, partition, offset);
      while (offset < until && bytes < bytesMax && !blob.done) {
        const record = blob.next();
        records.push(record);
        bytes += bytesOf(record);
        offset++;
      }
    }
    return records;
  };

  return {
    get isBehind() {
      return offset < endAtOpen;
    },
    get logEnd() {
      return log.endOffset(topic, partition);
    },
    async poll(recordsMax, bytesMax = Number.POSITIVE_INFINITY) {
      if (closed) return { records: [], ended: true };
      let records = take(recordsMax, bytesMax);
      if (records.length === 0 && !bounded) {
        await log.appended(topic, partition, POLL_WAIT_MS);
        if (!closed) records = take(recordsMax, bytesMax);
      }
      return { records, ended: closed || (bounded && offset >= endAtOpen) };
    },
    close: async () => {
      closed = true;
      blob = undefined;
    },
  };
}
