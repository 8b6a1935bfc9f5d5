import { EARLIEST } from '../../../src/core/checkpoint.js';
import { MillraceError } from '../../../src/core/errors.js';
import type { Cluster } from '../connection/cluster.js';
import type { CommittedRange } from '../group/committed.js';
import { PartitionLog } from '../partition-log.js';
import { ChangelogReader } from './changelog.js';

/** A changelog is read as a whole, so ranges are larger. Two are in memory at once. */
const RANGE_BYTES = 4 * 1024 * 1024;

export type RestoredChangelog = ReturnType<ChangelogReader['restored']>;

/** Reads one task's changelog from its start and collects the newest committed value of each key. */
export class ChangelogFollower {
  private readonly reader = new ChangelogReader();
  private read = 0;
  private logEnd = 0;

  private constructor(
    private readonly cluster: Cluster,
    private readonly log: PartitionLog,
    private readonly where: string,
  ) {}

  static async open(cluster: Cluster, topic: string, partition: number): Promise<ChangelogFollower> {
    const log = await PartitionLog.open(cluster, topic, partition, EARLIEST, { bytesMax: RANGE_BYTES });
    return new ChangelogFollower(cluster, log, `${topic}/${partition}`);
  }

  /** The offset of the next record to read. */
  get offset(): number {
    return this.log.offset;
  }

  /** The number of records read. */
  get records(): number {
    return this.read;
  }

  /** Records and transaction markers that were not read yet, as of the last answer. */
  get recordsBehind(): number {
    return Math.max(0, this.logEnd - this.offset);
  }

  /** The size of the newest values. */
  get bytes(): number {
    return this.reader.bytes;
  }

  /** Reads the next range, if it comes soon; resolves with whether it was the last. Waits a fraction of a second if there is nothing new. */
  async step(): Promise<boolean> {
    const range = await this.log.nextSoon();
    if (!range) return false;
    this.take(range);
    return range.bytes < RANGE_BYTES / 2;
  }

  /**
   * Reads everything before an offset.
   *
   * @throws MillraceError `state` if the log cannot be read up to it within `retryTimeoutMs`.
   */
  async readTo(end: number): Promise<void> {
    let giveUpMs = Date.now() + this.cluster.apiTimeoutMs;
    while (this.offset < end) {
      const from = this.offset;
      await this.step();
      if (this.offset > from) giveUpMs = Date.now() + this.cluster.apiTimeoutMs;
      else if (Date.now() > giveUpMs) throw stuck(this.where, this.offset, end);
    }
  }

  /** Returns what was read, once. */
  restored(): RestoredChangelog {
    return this.reader.restored(this.where);
  }

  close(): Promise<void> {
    return this.log.close();
  }

  private take(range: CommittedRange): void {
    this.logEnd = range.logEnd;
    for (let records = range.take(); records; records = range.take()) {
      this.read += records.length;
      for (const { key, value } of records) this.reader.put(key, value);
    }
  }
}

/** Reads the newest committed value of each key in one task's changelog, up to an offset. */
export async function readChangelog(
  cluster: Cluster,
  topic: string,
  partition: number,
  end: number,
): Promise<RestoredChangelog> {
  const follower = await ChangelogFollower.open(cluster, topic, partition);
  try {
    await follower.readTo(end);
    return follower.restored();
  } finally {
    await follower.close();
  }
}

const stuck = (where: string, offset: number, end: number): MillraceError =>
  new MillraceError('state', `the changelog cannot be read beyond ${offset} of ${end}`, {
    where,
    hint: 'a transaction in it does not end: use kafka-transactions find-hanging',
  });
