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

/** Two of these are in memory at once: one being read, one on its way. */
const BYTES_MAX = 2 * 1024 * 1024;
const WAIT_MAX_MS = 250;
/** For who has closed the log and wants nothing more. */
const NOTHING: FetchedPartition = { highWatermark: -1, aborted: [], bytes: Buffer.alloc(0) };

/**
 * One partition's committed records, range by range, over a connection of its own, with one fetch on its way while
 * the last one is read, from the replica that is closest. Survives lost connections and new leaders; a re-created topic and an offset that the log no
 * longer has are errors, unless the source says where to go on then: records would be missing without a word.
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
    /** The broker's name for this incarnation of the topic. */
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
   * `bytesMax` is the length of a range, 2 MiB by default: longer ones cost memory and fewer round trips.
   *
   * @throws MillraceError `source` where topic or partition do not exist, and the offset unless it was deleted and `onDataLoss` says where to go on.
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

  /** How many records were passed over since it was last asked. */
  takeSkipped(): number {
    const { skipped } = this;
    this.skipped = 0;
    return skipped;
  }

  /** Offset after the last range that `next` gave. */
  get offset(): number {
    return this.nextOffset;
  }

  /** The next range; one without records where nothing came for a while. */
  async next(): Promise<CommittedRange> {
    const range = await (this.fetching ?? this.fetch());
    this.nextOffset = range.nextOffset;
    this.fetching = this.closed ? undefined : this.fetch();
    // Whoever asks next sees the failure; until then it is nobody's.
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

  /** `undefined` where the answer says nothing about the log: ask again, elsewhere or later. */
  private async fetchFrom({ address, rack, isLeader }: ReadPlace, offset: number): Promise<Fetched | undefined> {
    const { topicId, partition, bytesMax } = this;
    const request = { topicId, partition, offset, waitMaxMs: WAIT_MAX_MS, bytesMax, rack };
    try {
      const fetched = await this.connections.request(address, fetchApi, request);
      if (isLeader && fetched.preferredReplica >= 0) {
        await this.turnTo(fetched.preferredReplica);
        return undefined;
      }
      // A broker that throttles answers with nothing at all.
      return fetched.throttleTimeMs > 0 && fetched.highWatermark < 0 ? undefined : fetched;
    } catch (error) {
      if (isLeader || this.closed) throw error;
      this.closest.failed();
      return undefined;
    }
  }

  /** The leader has given nothing and named another broker. One that nobody knows is looked for; meanwhile the leader is to answer. */
  private async turnTo(broker: number): Promise<void> {
    if (!this.cluster.broker(broker)) await this.cluster.refresh(this.topic);
    const address = this.cluster.broker(broker);
    if (address) this.closest.named(address);
    else this.closest.failed();
  }

  /** What comes next was deleted: goes on where the source says. @throws MillraceError `source` where it does not, or the log was cut. */
  private async passOver(cause?: unknown): Promise<void> {
    const offset = this.nextOffset;
    const start = await this.cluster.startOffset(this.topic, this.partition);
    const end = await this.cluster.endOffset(this.topic, this.partition, 'any');
    // Beyond the end offsets come again with other records, which outputs would take for repetitions: that needs a new incarnation.
    if (this.onDataLoss !== undefined && offset < start) {
      this.nextOffset = this.onDataLoss === 'earliest' ? start : end;
      this.skipped += this.nextOffset - offset;
      return;
    }
    const ways =
      '`millrace offsets reset FILE --to earliest` goes on with what is left, or restore a savepoint that fits';
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
    hint: 'its offsets began anew: reset the topology to read it from the start',
    permanent: true,
  });
