import { setImmediate as turn } from 'node:timers/promises';
import { MillraceError } from '../../core/errors.js';
import { BlobReader } from './record-blob.js';
import type { Retention, Store } from './store.js';
import type { TopicLog } from './topic-log.js';

/**
 * What Kafka's `retention.ms`, `retention.bytes` and `cleanup.policy` say; `undefined` where they say nothing. -1 keeps everything.
 *
 * @throws MillraceError `config` for a value that is no number.
 * @example
 * retentionOf('clicks', { 'retention.ms': 604_800_000 }); // { ms: 604800000 }
 */
export function retentionOf(
  topic: string,
  configs: Readonly<Record<string, string | number | boolean>> = {},
): Retention | undefined {
  const policy = configs['cleanup.policy'];
  if (policy !== undefined && !String(policy).includes('delete')) return undefined;
  const given = ['ms', 'bytes'].flatMap((of) => {
    const value = configs[`retention.${of}`];
    if (value === undefined) return [];
    const limit = Number(value);
    if (Number.isInteger(limit) && limit >= -1) return [[of, limit]];
    const hint = 'give milliseconds or bytes, or -1 to keep everything';
    throw new MillraceError('config', `retention.${of} of ${topic} is ${value}`, { where: topic, hint });
  });
  return given.length === 0 ? undefined : Object.fromEntries(given.filter(([, limit]) => limit !== -1));
}

/** Blobs of a partition that one step counts and deletes, at most: 16 MiB are read. */
const BLOBS_MAX = 64;
const INTERVAL_MS = 10_000;

/** The size of a partition, as far as it was counted. */
interface Count {
  bytes: number;
  to: number;
}

/**
 * Deletes what topics need not keep, as Kafka does: whole blobs (at most 1,000 records), oldest first, whoever has not read them
 * yet. A blob is too old if its newest record is. The newest blob stays, so that offsets go on from it.
 *
 * A step takes at most 64 blobs of a partition, and the next one follows in another turn of the event loop.
 */
export class LogCleaner {
  private readonly counts = new Map<string, Count>();
  private timer: NodeJS.Timeout | undefined;
  private cleaning: Promise<void> | undefined;
  private stopped = false;

  constructor(
    private readonly store: Store,
    private readonly log: TopicLog,
    private readonly now: () => number,
  ) {}

  /** Cleans now, and every ten seconds from now on. Further calls change nothing. */
  start(): void {
    if (this.timer || this.stopped) return;
    this.timer = setInterval(() => this.clean(), INTERVAL_MS).unref();
    this.clean();
  }

  async stop(): Promise<void> {
    this.stopped = true;
    clearInterval(this.timer);
    await this.cleaning;
  }

  /** One step over all partitions; returns whether there is more to do. */
  async step(): Promise<boolean> {
    let more = false;
    for (const { topic, partition, retention } of this.log.retained()) {
      await turn();
      if (this.stopped) return false;
      const { blobs, start, isMore } = this.due(topic, partition, retention);
      if (blobs.length > 0) await this.store.commit(this.log.drop(topic, partition, blobs, start));
      more ||= isMore;
    }
    return more;
  }

  private clean(): void {
    this.cleaning ??= this.untilDone().finally(() => {
      this.cleaning = undefined;
    });
  }

  /** A step that fails is tried again with the next interval: a store that refuses it refuses checkpoints too, which tell of it. */
  private async untilDone(): Promise<void> {
    try {
      while (await this.step());
    } catch (error) {
      this.counts.clear();
      if (!(error instanceof MillraceError)) throw error;
    }
  }

  /** The blobs that may go, and the offset of the first record after them. */
  private due(topic: string, partition: number, { ms, bytes }: Retention) {
    const end = this.log.endOffset(topic, partition);
    let start = this.log.startOffset(topic, partition);
    const count = this.count(topic, partition, bytes);
    const blobs: number[] = [];
    for (const { offset, blob } of this.log.blobs(topic, partition, start)) {
      const reader = new BlobReader(blob, offset);
      const next = offset + reader.count;
      if (next >= end || blobs.length === BLOBS_MAX) break;
      const isTooMuch = bytes !== undefined && count.bytes - blob.length >= bytes;
      if (!isTooMuch && !(ms !== undefined && reader.newestMs() < this.now() - ms)) break;
      if (offset < count.to) count.bytes -= blob.length;
      else count.to = next;
      blobs.push(offset);
      start = next;
    }
    return { blobs, start, isMore: blobs.length === BLOBS_MAX || (bytes !== undefined && count.to < end) };
  }

  private count(topic: string, partition: number, bytes: number | undefined): Count {
    const key = `${topic}/${partition}`;
    const count = this.counts.get(key) ?? { bytes: 0, to: this.log.startOffset(topic, partition) };
    this.counts.set(key, count);
    if (bytes === undefined) return count;
    let blobs = 0;
    for (const { offset, blob } of this.log.blobs(topic, partition, count.to)) {
      if (blobs++ === BLOBS_MAX) break;
      count.bytes += blob.length;
      count.to = offset + new BlobReader(blob, offset).count;
    }
    return count;
  }
}
