import { EARLIEST } from '../../core/checkpoint.js';
import { MillraceError } from '../../core/errors.js';
import { bytesOf, type RawRecord } from '../../core/record.js';
import type { Source, SourceDriver, SourceReader } from '../../core/source.js';
import { counted } from '../../util/counted.js';
import type { BlobReader } from './record-blob.js';
import type { TaskOwners } from './task-outputs.js';
import type { TopicLog } from './topic-log.js';

/** How long a poll waits for an append where there is nothing to read. */
const POLL_WAIT_MS = 100;

/** Reads topics of the embedded log; the task's partition is the topic's. */
export function logSource(log: TopicLog, owners: TaskOwners): SourceDriver {
  return {
    partitions: async ({ topic }) => log.partitionsOf(topic),
    open: async ({ topic, onDataLoss }, { task, step, partition, offset, bounded }) => {
      owners.addInput(task, step, topic);
      const from = offset === EARLIEST ? log.startOffset(topic, partition) : offset;
      return openReader(log, topic, partition, from, bounded, onDataLoss);
    },
  };
}

function openReader(
  log: TopicLog,
  topic: string,
  partition: number,
  from: number,
  bounded: boolean,
  onDataLoss: Source<unknown>['onDataLoss'],
): SourceReader {
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
  let skipped = 0;

  const end = (): number => (bounded ? endAtOpen : log.endOffset(topic, partition));
  const isGone = (): boolean => (blob === undefined || blob.done) && offset < log.startOffset(topic, partition);
  /** Continues where `onDataLoss` says if the next records were deleted. */
  const passOver = (): void => {
    if (!isGone()) return;
    const start = log.startOffset(topic, partition);
    if (onDataLoss === undefined) throw deleted(topic, partition, start - offset, offset);
    const next = onDataLoss === 'earliest' ? start : Math.max(start, end());
    skipped += next - offset;
    offset = next;
  };
  const take = (recordsMax: number, bytesMax: number): RawRecord[] => {
    const records: RawRecord[] = [];
    passOver();
    const until = Math.min(end(), offset + recordsMax);
    let bytes = 0;
    while (offset < until && bytes < bytesMax && !isGone()) {
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

  passOver();
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
      const lost = skipped;
      skipped = 0;
      return { records, ended: closed || (bounded && offset >= endAtOpen), ...(lost > 0 && { skipped: lost }) };
    },
    close: async () => {
      closed = true;
      blob = undefined;
    },
  };
}

const deleted = (topic: string, partition: number, records: number, offset: number): MillraceError =>
  new MillraceError(
    'source',
    `offset ${offset} of ${topic}/${partition} is gone: ${counted(records, 'record')} ${records === 1 ? 'was' : 'were'} deleted unread`,
    {
      where: topic,
      hint: 'raise the retention of the topic; `millrace offsets reset FILE --to earliest` continues with the remaining records, and `onDataLoss` of the source decides it beforehand',
      permanent: true,
    },
  );
