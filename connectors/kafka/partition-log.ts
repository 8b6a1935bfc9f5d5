import { EARLIEST } from '../../src/core/checkpoint.js';
import { MillraceError } from '../../src/core/errors.js';
import { counted } from '../../src/util/counted.js';
import { retry } from '../../src/util/retry.js';
import type { Cluster } from './connection/cluster.js';
import { ConnectionPool } from './connection/connection-pool.js';
import { PreferredReadReplica, type ReadPlace } from './connection/preferred-read-replica.js';
import { CommittedRange, type FetchedPartition } from './group/committed.js';
import { brokerError, code, hasCode, isLost, isMoved } from './protocol/broker-error.js';
import { type Fetched, fetchApi } from './protocol/fetch.js';

type OnDataLoss = 'earliest' | 'latest';

/** Two ranges are in memory: one that is being read and one that is being fetched; after one longer than this, only that one. */
const BYTES_MAX = 2 * 1024 * 1024;
const WAIT_MAX_MS = 250;
/** The result after the log was closed. */
const NOTHING: FetchedPartition = { highWatermark: -1, stableOffset: -1, aborted: [], bytes: Buffer.alloc(0) };

/**
 * Reads the committed records of one partition, range by range, over its own connection, from the closest replica. One fetch is in
 * flight while the last range is read. It survives lost connections and new leaders. A re-created topic, or an offset that the log
 * no longer has, is an error unless `onDataLoss` says where to continue, because records would be lost silently.
 */
export class PartitionLog {
  private nextOffset: number;
  private fetching: Promise<CommittedRange> | undefined;
  private readonly connections: ConnectionPool;
  private readonly closest: PreferredReadReplica;
  private readonly where: string;
  private closed = false;
  private skipped = 0;

  private constructor(
    private readonly cluster: Cluster,
    private readonly topic: string,
    private readonly partition: number,
    /** The broker's id for this incarnation of the topic. */
    readonly topicId: string,
    offset: number,
    private readonly bytesMax: number,
    private readonly onDataLoss: OnDataLoss | undefined,
  ) {
    this.nextOffset = offset;
    this.connections = new ConnectionPool(cluster.linkOptions);
    this.closest = new PreferredReadReplica(cluster.rack);
    this.where = `${topic}/${partition}`;
  }

  /**
   * `bytesMax` is the size of a range, 2 MiB by default: larger ranges need more memory and fewer requests.
   *
   * @throws MillraceError `source` if topic or partition do not exist, or if the log does not have the offset. If records were
   * deleted and `onDataLoss` is given, it continues there.
   */
  static async open(
    cluster: Cluster,
    topic: string,
    partition: number,
    offset: number,
    {
      bytesMax = BYTES_MAX,
      onDataLoss,
    }: { readonly bytesMax?: number; readonly onDataLoss?: OnDataLoss | undefined } = {},
  ): Promise<PartitionLog> {
    const { topicId } = await cluster.leader(topic, partition);
    const start = await cluster.startOffset(topic, partition);
    const from = offset === EARLIEST ? start : offset;
    const log = new PartitionLog(cluster, topic, partition, topicId, from, bytesMax, onDataLoss);
    if (from < start || from > (await cluster.endOffset(topic, partition, 'any'))) await log.passOver();
    return log;
  }

  /** The number of records skipped since the last call. */
  takeSkipped(): number {
    const { skipped } = this;
    this.skipped = 0;
    return skipped;
  }

  /** The offset after the last range that `next` returned. */
  get offset(): number {
    return this.nextOffset;
  }

  /** Resolves with the next range; it has no records if none arrived for a while. */
  async next(): Promise<CommittedRange> {
    const range = await (this.fetching ?? this.fetch());
    this.nextOffset = range.nextOffset;
    this.fetching = this.closed || range.bytes > this.bytesMax ? undefined : this.fetch();
    // The next call reports the failure; until then it must not be an unhandled rejection.
    this.fetching?.catch(() => undefined);
    return range;
  }

  async close(): Promise<void> {
    this.closed = true;
    await this.connections.close();
  }

  private async fetch(): Promise<CommittedRange> {
    for (;;) {
      const offset = this.nextOffset;
      try {
        return new CommittedRange(await this.fetchBytes(offset), offset, this.where);
      } catch (error) {
        if (!hasCode(error, code.offsetOutOfRange))
          throw brokerError('source', `cannot read ${this.where}`, error, { where: this.where });
        await this.passOver(error);
      }
    }
  }

  private fetchBytes(offset: number): Promise<FetchedPartition> {
    const { topicId, partition } = this;
    const attempt = async () => {
      for (;;) {
        const leader = await this.cluster.leader(this.topic, partition);
        if (leader.topicId !== topicId) throw recreated(this.topic, this.where);
        const fetched = await this.fetchFrom(this.closest.place(leader.address), offset);
        if (fetched || this.closed) return fetched ?? NOTHING;
      }
    };
    return retry(attempt, {
      retriable: (error) => !this.closed && (isLost(error) || isMoved(error) || hasCode(error, code.unknownTopicId)),
      waitMs: 20,
      waitMaxMs: 1_000,
      totalMs: this.cluster.patienceMs,
      before: async () => void (await this.cluster.refresh(this.topic)),
    });
  }

  /** `undefined` if the answer does not describe the log: retry, perhaps elsewhere. */
  private async fetchFrom({ address, rack, isLeader }: ReadPlace, offset: number): Promise<Fetched | undefined> {
    const { topicId, partition, bytesMax } = this;
    const request = { topicId, partition, offset, waitMaxMs: WAIT_MAX_MS, bytesMax, rack };
    try {
      const fetched = await this.connections.request(address, fetchApi, request);
      if (isLeader && fetched.preferredReplica >= 0) {
        await this.turnTo(fetched.preferredReplica);
        return undefined;
      }
      // A broker that throttles returns an empty answer.
      return fetched.throttleTimeMs > 0 && fetched.highWatermark < 0 ? undefined : fetched;
    } catch (error) {
      if (isLeader || this.closed) throw error;
      this.closest.failed();
      return undefined;
    }
  }

  /**
   * The leader returned nothing and named another broker. If that one is not known, its address is looked up and the leader answers
   * meanwhile.
   */
  private async turnTo(broker: number): Promise<void> {
    if (!this.cluster.broker(broker)) await this.cluster.refresh(this.topic);
    const address = this.cluster.broker(broker);
    if (address) this.closest.named(address);
    else this.closest.failed();
  }

  /**
   * The next records were deleted: continue where `onDataLoss` says. @throws MillraceError `source` without it, or if the log was
   * truncated.
   */
  private async passOver(cause?: unknown): Promise<void> {
    const offset = this.nextOffset;
    const start = await this.cluster.startOffset(this.topic, this.partition);
    const end = await this.cluster.endOffset(this.topic, this.partition, 'any');
    // Offsets beyond the end will come again with other records, which outputs would take for repetitions. That needs a new
    // incarnation.
    if (this.onDataLoss !== undefined && offset < start) {
      this.nextOffset = this.onDataLoss === 'earliest' ? start : end;
      this.skipped += this.nextOffset - offset;
      return;
    }
    const ways =
      '`millrace offsets reset FILE --to earliest` continues with the remaining records; or restore a matching savepoint';
    const hint =
      offset < start
        ? `${counted(start - offset, 'record')} ${start - offset === 1 ? 'was' : 'were'} deleted before they were read: raise the topic's retention, then ${ways}; \`onDataLoss\` of the source decides it beforehand`
        : `the topic was cut or re-created: ${ways}`;
    throw new MillraceError('source', `offset ${offset} of ${this.where} is gone: the log holds ${start} to ${end}`, {
      where: this.where,
      hint,
      permanent: true,
      cause,
    });
  }
}

const recreated = (topic: string, where: string): MillraceError =>
  new MillraceError('source', `topic '${topic}' was re-created while it was read`, {
    where,
    hint: 'its offsets start again at 0: reset the topology to read it from the start',
    permanent: true,
  });
