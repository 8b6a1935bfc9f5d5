import { EARLIEST } from '../../src/core/checkpoint.js';
import { MillraceError } from '../../src/core/errors.js';
import { counted } from '../../src/util/counted.js';
import { retry } from '../../src/util/retry.js';
import type { Cluster } from './connection/cluster.js';
import { ConnectionPool } from './connection/connection-pool.js';
import { PreferredReadReplica, type ReadTarget } from './connection/preferred-read-replica.js';
import { CommittedRange, type FetchedPartition } from './group/committed.js';
import { LeaderEpochs } from './leader-epochs.js';
import { brokerError, code, hasCode, isLost, isMoved } from './protocol/broker-error.js';
import { type Fetched, fetchApi } from './protocol/fetch.js';

type OnDataLoss = 'earliest' | 'latest';

/** Two ranges are in memory: one that is being read and one that is being fetched; after one longer than this, only that one. */
const BYTES_MAX = 2 * 1024 * 1024;
/** How long a broker waits for records before it answers without any. */
const WAIT_MS = 250;
/** How long `nextSoon` waits for the broker, at most. */
const SOON_MS = 500;
/**
 * The same for a log that has had none for a while: each answer costs both sides about as much as a thousand records. The waits of
 * idle logs end at the same time, as the process then wakes up once for all of them.
 */
const IDLE_WAIT_MS = 8_000;
/** A broker may wait for this part of the time in which it must answer. */
const WAITING_PART = 0.25;
const REQUEST_TIMEOUT_MS = 30_000;
/** The result after the log was closed. */
const NOTHING: FetchedPartition = { highWatermark: -1, stableOffset: -1, aborted: [], bytes: Buffer.alloc(0) };

let beat: Promise<undefined> | undefined;

/** Resolves at the next beat of the process, of one each `SOON_MS`: so idle logs answer in one turn of the event loop, not in one each. */
function nextBeat(): Promise<undefined> {
  beat ??= new Promise((resolve) => {
    const over = () => {
      beat = undefined;
      resolve(undefined);
    };
    // A log that waits keeps the process alive by its connection.
    setTimeout(over, SOON_MS).unref();
  });
  return beat;
}

/**
 * Reads the committed records of one partition, range by range, over its own connection, from the closest replica. One fetch is in
 * flight while the last range is read. It survives lost connections and new leaders. A re-created topic, or an offset that the log
 * no longer has, is an error unless `onDataLoss` says where to continue, because records would be lost silently.
 */
export class PartitionLog {
  private nextOffset: number;
  private fetching: Promise<CommittedRange> | undefined;
  /** How long the broker waits for records next time, and until when it may wait now. */
  private waitMs = WAIT_MS;
  private waitsUntilMs = 0;
  private readonly idleWaitMs: number;
  private readonly connections: ConnectionPool;
  private readonly closest: PreferredReadReplica;
  private readonly where: string;
  private closed = false;
  private skipped = 0;
  private readonly epochs: LeaderEpochs;
  /** Something was read since the log was opened: the lost records may come after the checkpoint. */
  private hasRead = false;

  private constructor(
    private readonly cluster: Cluster,
    private readonly topic: string,
    private readonly partition: number,
    /** The broker's id for this incarnation of the topic. */
    readonly topicId: string,
    offset: number,
    private readonly bytesMax: number,
    private readonly onDataLoss: OnDataLoss | undefined,
    epoch: number,
  ) {
    this.nextOffset = offset;
    this.epochs = new LeaderEpochs(offset, epoch);
    this.connections = new ConnectionPool(cluster.linkOptions);
    const { requestTimeoutMs = REQUEST_TIMEOUT_MS } = cluster.linkOptions ?? {};
    this.idleWaitMs = Math.min(IDLE_WAIT_MS, Math.max(WAIT_MS, requestTimeoutMs * WAITING_PART));
    this.closest = new PreferredReadReplica(cluster.rack);
    this.where = `${topic}/${partition}`;
  }

  /**
   * `bytesMax` is the size of a range, 2 MiB by default: larger ranges need more memory and fewer requests.
   *
   * `epoch` is that of the record before the offset, as `epochBefore` returned it: if another leader has written other records there
   * since, the first `next` fails.
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
      epoch = -1,
    }: { readonly bytesMax?: number; readonly onDataLoss?: OnDataLoss | undefined; readonly epoch?: number } = {},
  ): Promise<PartitionLog> {
    const { topicId } = await cluster.leader(topic, partition);
    const start = await cluster.startOffset(topic, partition);
    const from = offset === EARLIEST ? start : offset;
    const log = new PartitionLog(cluster, topic, partition, topicId, from, bytesMax, onDataLoss, epoch);
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

  /** The epoch of the leader that wrote the last record before an offset that was read; -1 if unknown. */
  epochBefore(offset: number): number {
    return this.epochs.before(offset);
  }

  /** Like `next`, but resolves with `undefined` where nothing has arrived within a fraction of a second and the broker still waits. */
  async nextSoon(): Promise<CommittedRange | undefined> {
    this.fetching ??= this.fetch();
    this.fetching.catch(() => undefined); // thrown below, or by the next call
    // A broker that ought to have answered is waited for, so that others see how long it takes.
    if (this.waitsUntilMs - performance.now() <= SOON_MS) return this.next();
    const range = await Promise.race([this.fetching, nextBeat()]);
    return range && this.next();
  }

  /** Resolves with the next range; it has no records if none arrived for a while: up to eight seconds if the log is idle. */
  async next(): Promise<CommittedRange> {
    const range = await (this.fetching ?? this.fetch());
    this.nextOffset = range.nextOffset;
    this.hasRead ||= range.epochs.length > 0;
    for (const [offset, epoch] of range.epochs) this.epochs.note(offset, epoch);
    this.waitMs = range.bytes > 0 ? WAIT_MS : Math.min(2 * this.waitMs, this.idleWaitMs);
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
    this.waitsUntilMs = performance.now() + this.waitMs;
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
        const fetched = await this.fetchFrom(this.closest.targetOf(leader.address), leader.epoch, offset);
        if (fetched?.diverging) throw this.truncated(offset);
        if (fetched || this.closed) return fetched ?? NOTHING;
      }
    };
    return retry(attempt, {
      retriable: (error) => !this.closed && (isLost(error) || isMoved(error) || hasCode(error, code.unknownTopicId)),
      waitMs: 20,
      waitMaxMs: 1_000,
      totalMs: this.cluster.apiTimeoutMs,
      before: async () => void (await this.cluster.refresh(this.topic)),
    });
  }

  /** `undefined` if the answer does not describe the log: retry, perhaps elsewhere. */
  private async fetchFrom(
    { address, rack, isLeader }: ReadTarget,
    leaderEpoch: number,
    offset: number,
  ): Promise<Fetched | undefined> {
    const { topicId, partition, bytesMax } = this;
    const lastFetchedEpoch = this.epochs.before(offset);
    const { waitMs, idleWaitMs } = this;
    const waitMaxMs = waitMs < idleWaitMs ? waitMs : Math.ceil(idleWaitMs - (performance.now() % idleWaitMs));
    this.waitsUntilMs = performance.now() + waitMaxMs;
    const request = { topicId, partition, offset, leaderEpoch, lastFetchedEpoch, waitMaxMs, bytesMax, rack };
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
    if (offset >= start && offset <= end && this.epochs.before(offset) >= 0) throw this.truncated(offset, cause);
    const hint =
      offset < start
        ? `${counted(start - offset, 'record')} ${start - offset === 1 ? 'was' : 'were'} deleted before they were read: raise the topic's retention, then ${WAYS}; \`onDataLoss\` of the source decides it beforehand`
        : `the topic was cut or re-created: ${WAYS}`;
    throw new MillraceError('source', `offset ${offset} of ${this.where} is gone: the log holds ${start} to ${end}`, {
      where: this.where,
      hint,
      permanent: true,
      cause,
    });
  }

  /** The records before an offset were read, and the leader has others there, or none. */
  private truncated(offset: number, cause?: unknown): MillraceError {
    const epoch = this.epochs.before(offset);
    return new MillraceError(
      'source',
      `the records of ${this.where} before ${offset}, of epoch ${epoch}, are not in its log`,
      {
        where: this.where,
        hint: this.hasRead
          ? 'a leader without them was elected: the task goes on from its checkpoint, if that lies before the loss'
          : `a leader without them was elected, but outputs contain their results: ${WAYS}`,
        permanent: !this.hasRead,
        cause,
      },
    );
  }
}

const WAYS =
  '`millrace offsets reset FILE --to earliest` continues with the remaining records; or restore a matching savepoint';

const recreated = (topic: string, where: string): MillraceError =>
  new MillraceError('source', `topic '${topic}' was re-created while it was read`, {
    where,
    hint: 'its offsets start again at 0: reset the topology to read it from the start',
    permanent: true,
  });
