import type { LogPoint } from '../../core/checkpoint.js';
import { MillraceError } from '../../core/errors.js';
import type { RawRecord } from '../../core/record.js';
import { counted } from '../../util/counted.js';
import { type Blob, BlobReader } from './record-blob.js';
import type { Retention, Store, TopicRow, Write } from './store.js';

/** One partition: its oldest record, where the next one goes, and up to where records can be read. */
interface Partition {
  startOffset: number;
  nextOffset: number;
  endOffset: number;
  readonly waiting: Set<() => void>;
}

interface Topic {
  readonly name: string;
  row: TopicRow;
  readonly partitions: readonly Partition[];
}

/** Blobs on their way into the log: the entries to write, and what to do once they are. */
export interface Appending {
  readonly writes: readonly Write[];
  publish(): void;
}

/** The topics of the store: append-only partitions of blobs, keyed by (topic, partition, first offset). */
export class TopicLog {
  private readonly topics = new Map<string, Topic>();

  constructor(private readonly store: Store) {
    for (const { key, value } of store.topics.getRange()) this.register(String(key), value);
    store.onFailedSteps(() => this.reread());
  }

  names(): string[] {
    return [...this.topics.keys()].sort();
  }

  /** Creates a topic where it is missing; one that is there must have as many partitions, if a number is given. */
  async create(name: string, partitions?: number): Promise<void> {
    const existing = this.topics.get(name);
    if (existing === undefined) {
      const row: TopicRow = {
        id: 1 + Math.max(-1, ...[...this.topics.values()].map(({ row: { id } }) => id)),
        partitions: partitions ?? 1,
      };
      this.register(name, row);
      await this.store.commit([{ table: this.store.topics, key: name, value: row }]);
    } else if (partitions !== undefined && existing.partitions.length !== partitions) {
      throw new MillraceError(
        'config',
        `topic ${name} has ${counted(existing.partitions.length, 'partition')}, not ${partitions}`,
        {
          where: name,
          hint: 'the number of partitions cannot change: keep it (`millrace produce --partitions`), or use a new topic',
        },
      );
    }
  }

  /** Declares what need not be kept; `LogCleaner` deletes it. */
  async retain(name: string, retention: Retention): Promise<void> {
    const topic = this.topic(name);
    const row = { ...topic.row, retention };
    if (JSON.stringify(row) === JSON.stringify(topic.row)) return;
    await this.store.commit([{ table: this.store.topics, key: name, value: row }]);
    topic.row = row;
  }

  /** The partitions of topics that need not keep everything. */
  retained(): { topic: string; partition: number; retention: Retention }[] {
    return [...this.topics.values()].flatMap(({ name, partitions, row: { retention } }) =>
      retention === undefined ? [] : partitions.map((_, partition) => ({ topic: name, partition, retention })),
    );
  }

  partitionsOf(name: string): number {
    return this.topic(name).partitions.length;
  }

  endOffsets(name: string): number[] {
    return this.topic(name).partitions.map(({ endOffset }) => endOffset);
  }

  endOffset(name: string, partition: number): number {
    return this.partition(name, partition).endOffset;
  }

  startOffset(name: string, partition: number): number {
    return this.partition(name, partition).startOffset;
  }

  offsetsAt(name: string, point: LogPoint): number[] {
    const ends = this.endOffsets(name);
    if (point === 'latest') return ends;
    if (point === 'earliest') return this.topic(name).partitions.map(({ startOffset }) => startOffset);
    return ends.map((end, partition) => {
      for (const { offset, timestampMs } of this.scan(name, partition))
        if (timestampMs >= point.timestampMs) return offset;
      return end;
    });
  }

  /** Gives the blobs their offsets. The caller commits the writes at once, before anything else is appended. */
  append(name: string, partition: number, blobs: readonly Blob[]): Appending {
    const { id } = this.topic(name).row;
    const target = this.partition(name, partition);
    const writes = blobs.map(({ records, bytes }): Write => {
      const key = [id, partition, target.nextOffset];
      target.nextOffset += records;
      return { table: this.store.log, key, value: bytes };
    });
    const { nextOffset } = target;
    return {
      writes,
      publish() {
        target.endOffset = Math.max(target.endOffset, nextOffset);
        for (const wake of [...target.waiting]) wake();
      },
    };
  }

  /** The blob that holds an offset below the end, opened at that offset. */
  open(name: string, partition: number, offset: number): BlobReader {
    const { id } = this.topic(name).row;
    // The usual case first: a reader that continues where a blob ended.
    const next = this.store.log.get([id, partition, offset]);
    if (next !== undefined) return new BlobReader(next, offset);
    const range = { start: [id, partition, offset], end: [id, partition, -1], reverse: true, limit: 1 };
    for (const { key, value } of this.store.log.getRange(range)) {
      const reader = new BlobReader(value, (key as number[])[2] as number);
      reader.skipTo(offset);
      if (!reader.done) return reader;
    }
    throw new MillraceError('state', `the log of ${name}/${partition} has no record ${offset}`, {
      where: name,
      hint: 'the store is damaged: restore the folder from a backup',
      permanent: true,
    });
  }

  /** The blobs that begin at an offset or after it, in order. */
  *blobs(name: string, partition: number, from: number): Generator<{ readonly offset: number; readonly blob: Buffer }> {
    const { id } = this.topic(name).row;
    const range = { start: [id, partition, from], end: [id, partition, Number.MAX_SAFE_INTEGER] };
    for (const { key, value } of this.store.log.getRange(range))
      yield { offset: (key as number[])[2] as number, blob: value };
  }

  /** Gives up the oldest blobs: `start` is the offset of the first record after them. The caller commits the writes at once. */
  drop(name: string, partition: number, blobs: readonly number[], start: number): Write[] {
    this.partition(name, partition).startOffset = start;
    const { id } = this.topic(name).row;
    return blobs.map((offset) => ({ table: this.store.log, key: [id, partition, offset], value: null }));
  }

  /** Records from `from` (the oldest by default) to the end as of now, in order. */
  *scan(name: string, partition: number, from = this.startOffset(name, partition)): Generator<RawRecord> {
    const end = this.endOffset(name, partition);
    let offset = from;
    while (offset < end) {
      const reader = this.open(name, partition, offset);
      while (!reader.done && offset < end) {
        yield reader.next();
        offset++;
      }
    }
  }

  /** Resolves when something was appended, or after `waitMs`. */
  async appended(name: string, partition: number, waitMs: number): Promise<void> {
    const { waiting } = this.partition(name, partition);
    await new Promise<void>((resolve) => {
      const wake = () => {
        clearTimeout(timer);
        waiting.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, waitMs);
      waiting.add(wake);
    });
  }

  /** Forgets topics and offsets that were given away and did not come into the store. */
  private reread(): void {
    for (const [
      name,
      {
        row: { id },
        partitions,
      },
    ] of this.topics) {
      if (this.store.topics.get(name) === undefined) this.topics.delete(name);
      else
        for (const [n, partition] of partitions.entries()) {
          partition.startOffset = this.storedStart(id, n);
          partition.endOffset = this.storedEnd(id, n);
          partition.nextOffset = partition.endOffset;
        }
    }
  }

  private topic(name: string): Topic {
    const topic = this.topics.get(name);
    if (topic !== undefined) return topic;
    throw new MillraceError('source', `topic ${name} does not exist`, {
      where: name,
      hint: `a sink creates its topic, and so does \`millrace produce ${name}\`; topics that exist: ${this.names().join(', ') || 'none'}`,
    });
  }

  private partition(name: string, partition: number): Partition {
    const topic = this.topic(name);
    const found = topic.partitions[partition];
    if (found !== undefined) return found;
    throw new MillraceError('source', `topic ${name} has no partition ${partition}`, {
      where: name,
      hint: `it has ${topic.partitions.length}, counted from 0`,
    });
  }

  private register(name: string, row: TopicRow): void {
    const { id } = row;
    const partitions = Array.from({ length: row.partitions }, (_, partition): Partition => {
      const end = this.storedEnd(id, partition);
      return { startOffset: this.storedStart(id, partition), nextOffset: end, endOffset: end, waiting: new Set() };
    });
    this.topics.set(name, { name, row, partitions });
  }

  private storedStart(id: number, partition: number): number {
    const range = { start: [id, partition, 0], end: [id, partition, Number.MAX_SAFE_INTEGER], limit: 1 };
    for (const key of this.store.log.getKeys(range)) return (key as number[])[2] as number;
    return 0;
  }

  private storedEnd(id: number, partition: number): number {
    const range = {
      start: [id, partition, Number.MAX_SAFE_INTEGER],
      end: [id, partition, -1],
      reverse: true,
      limit: 1,
    };
    for (const { key, value } of this.store.log.getRange(range)) {
      const base = (key as number[])[2] as number;
      return base + new BlobReader(value, base).count;
    }
    return 0;
  }
}
