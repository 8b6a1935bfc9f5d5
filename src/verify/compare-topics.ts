import { hash } from 'node:crypto';
import type { Headers, RawRecord } from '../core/record.js';
import { deadLetterHeaders } from '../core/sink-options.js';
import type { OpenProfile } from '../profiles/profiles.js';
import { readPartition } from '../topics/read-topic.js';
import { Differences } from './differences.js';
import { EntryStreams, type TaskEntry } from './entry-streams.js';
import type { Run } from './verification.js';

/** Where one output lies in each run. */
export type Places = Readonly<Record<Run, string>>;

/**
 * Compares two topics record by record: keys, values and headers, bit by bit. Records of one task are held to their order
 * within each partition; those of different tasks may stand in any order, since nothing decides it.
 *
 * `ordered` false: the order of inputs was decided by clocks, so the topics are compared as bags of records.
 *
 * Memory: what one run has written ahead of the other, at some 300 bytes a record; after a difference the rest of that task.
 */
export async function compareTopics(profile: OpenProfile, topics: Places, ordered: boolean): Promise<Differences> {
  const found = new Differences();
  const starts = await profile.offsetsAt(topics.reference, 'earliest');
  for (const [partition, offset] of starts.entries()) {
    const streams = new EntryStreams(ordered, found);
    const read = {
      reference: readPartition(profile, topics.reference, partition, offset),
      faulted: readPartition(profile, topics.faulted, partition, offset),
    };
    const open = new Set<Run>(['reference', 'faulted']);
    while (open.size > 0) {
      for (const run of open) {
        const next = await read[run].next();
        if (next.done) open.delete(run);
        else streams.add(run, entryOf(partition, next.value, ordered));
      }
    }
    streams.end();
  }
  return found;
}

const ORIGIN: readonly string[] = [deadLetterHeaders.topic, deadLetterHeaders.partition, deadLetterHeaders.offset];

function entryOf(partition: number, record: RawRecord, ordered: boolean): TaskEntry {
  const { offset, key, value, headers = [] } = record;
  const [topic, task, input] = ORIGIN.map((name) => textOf(headers, name) ?? '?');
  // Those of the origin are the identity; what follows them may be a record's own, of the same name.
  const own = headers.filter(
    ([name], index) => !ORIGIN.includes(name) || headers.findIndex(([n]) => n === name) < index,
  );
  const parts: (Uint8Array | null)[] = [key, value];
  for (const [name, bytes] of own) parts.push(Buffer.from(name), bytes);
  const digest = digestOf(parts);
  const id = ordered ? `${topic}/${task}/${input}` : digest;
  return { task: Number(task), id, digest, at: `${partition}/${offset}` };
}

const textOf = (headers: Headers, wanted: string): string | undefined => {
  const bytes = headers.find(([name]) => name === wanted)?.[1];
  return bytes && Buffer.from(bytes).toString();
};

/** Of parts with their lengths, so that no two lists look alike. */
function digestOf(parts: readonly (Uint8Array | null)[]): string {
  const all = parts.flatMap((part) => {
    const length = Buffer.alloc(4);
    length.writeInt32BE(part === null ? -1 : part.length);
    return part === null ? [length] : [length, part];
  });
  return hash('sha1', Buffer.concat(all), 'base64');
}
