import { setTimeout as pause } from 'node:timers/promises';
import {
  addOffsetsToTxnV3,
  addPartitionsToTxnV3,
  describeTransactionsV0,
  endTxnV3,
  initProducerIdV5,
  txnOffsetCommitV4,
} from '@platformatic/kafka';
import { MillraceError } from '../../src/core/errors.js';
import { getOrInsert } from '../../src/util/maps.js';
import { BatchSender, producingOver } from './batch-sender.js';
import type { Cluster } from './connection/cluster.js';
import { ConnectionPool } from './connection/connection-pool.js';
import { Coordinator } from './group/coordinator.js';
import { duringLease, type MemberIdentity, type TaskLease } from './group/task-lease.js';
import { brokerError, code, hasCode } from './protocol/broker-error.js';
import { missingRight } from './protocol/missing-right.js';
import { type OutgoingBatch, produceApi, produceInOwnEpochApi } from './protocol/produce.js';
import type { RecordToEncode } from './protocol/record-batch-encode.js';
import { commitOffsetsInOwnEpochApi, endInOwnEpochApi } from './protocol/transactions.js';
import { RecordAccumulator } from './record-accumulator.js';
import type { Compression } from './topic-options.js';

export interface TransactionOptions {
  readonly transactionalId: string;
  /** The consumer group to which the positions are published. */
  readonly group: string;
  /** The broker aborts a transaction that is open for longer, in milliseconds. */
  readonly timeoutMs: number;
  /** The lease of the task, if a group shares the tasks. */
  readonly lease: TaskLease | undefined;
  /** The compression of topics that define none; none by default. */
  readonly compression?: Compression | undefined;
}

interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

/** The offset of the next record to read of one input. */
export interface GroupOffset extends TopicPartition {
  readonly offset: number;
}

/** Unacknowledged bytes above which writers wait. */
const CONGESTED_BYTES = 16 * 1024 * 1024;

/** A consumer outside the group protocol: only the transactional id fences. */
const NO_MEMBER: MemberIdentity = { generation: -1, memberId: '' };

/** How long `close` waits for markers, in milliseconds: a broker that is down writes them when it is back. */
const MARKERS_MS = 500;

/** The feature of a cluster, and its level, with which each transaction has an epoch of its own. */
export const OWN_EPOCHS = { feature: 'transaction.version', level: 2 } as const;

/**
 * The transactions of one task, one after another under one transactional id, over their own connections. A transaction opens with
 * the first batch of an epoch and ends with `commit`. Full batches are sent as they fill, several requests in flight, in order.
 *
 * Where the brokers can (KIP-890, Kafka 4.0), each transaction has a producer epoch of its own. Without it, all transactions of an
 * owner have one epoch. An end marker that a broker writes twice, since the first answer was lost, may then come after the next
 * transaction has begun: it ends that one, in its partition alone.
 *
 * After any failure it refuses all further use: the result of the transaction is unknown until a new instance has called `begin`
 * and read the committed state. Memory: 16 MiB of unacknowledged batches, and one batch of 1 MB per partition written to.
 */
export class Transaction {
  private readonly connections: ConnectionPool;
  private readonly coordinator: Coordinator;
  private readonly groupCoordinator: Coordinator;
  private readonly sender: BatchSender;
  private readonly accumulator: RecordAccumulator;
  private producerId = -1n;
  private producerEpoch = -1;
  /** The members of the open transaction: partitions, and the group if offsets are committed. */
  private readonly added = new Set<string>();
  private opened = false;
  private ownEpochs = false;
  private ended = false;
  private committing = false;
  private openedMs = 0;
  /** The partitions of the previous transaction, which the next one very likely uses as well. */
  private usedLast: readonly TopicPartition[] = [];
  private used = new Map<string, TopicPartition>();
  private offsetsLast = false;
  private sending: Promise<void> = Promise.resolve();
  private bytesQueued = 0;
  private failure: Promise<MillraceError> | undefined;

  constructor(
    private readonly cluster: Cluster,
    private readonly options: TransactionOptions,
  ) {
    this.connections = new ConnectionPool(cluster.linkOptions);
    this.coordinator = new Coordinator(cluster, this.connections, 'transaction', options.transactionalId);
    this.groupCoordinator = new Coordinator(cluster, this.connections, 'group', options.group);
    const api = () => (this.ownEpochs ? produceInOwnEpochApi : produceApi);
    this.sender = new BatchSender(cluster, producingOver(this.connections, options.transactionalId, api));
    this.accumulator = new RecordAccumulator(
      () => ({
        producerId: this.producerId,
        producerEpoch: this.producerEpoch,
        transactional: true,
      }),
      options.compression,
    );
  }

  /** Sets the compression of a topic's batches. */
  compress(topic: string, compression: Compression): void {
    this.accumulator.compress(topic, compression);
  }

  /** What a topic takes, its `max.message.bytes`: batches stay within it. */
  limit(topic: string, bytesMax: number): void {
    this.accumulator.limit(topic, bytesMax);
  }

  /** Why a topic does not take a record. */
  refusal(topic: string, record: RecordToEncode): string | undefined {
    return this.accumulator.refusal(topic, record);
  }

  /** Takes over the transactional id. When it resolves, earlier owners are fenced and their open transactions have ended. */
  async begin(): Promise<void> {
    const { transactionalId, timeoutMs } = this.options;
    try {
      const api = initProducerIdV5.api;
      const { producerId, producerEpoch } = await this.coordinator.requestAgain(
        api,
        transactionalId,
        timeoutMs,
        -1n,
        -1,
      );
      this.producerId = producerId;
      this.producerEpoch = producerEpoch;
      this.ownEpochs = (await this.cluster.featureLevel(OWN_EPOCHS.feature)) >= OWN_EPOCHS.level;
    } catch (error) {
      throw brokerError('state', 'cannot take the task over', error, { where: transactionalId });
    }
  }

  /** Adds a record. `settle` and `commit` report failures. */
  add(topic: string, partition: number, record: RecordToEncode): void {
    if (!this.opened) this.open();
    this.accumulator.add(topic, partition, record);
    if (this.accumulator.hasSealed) this.enqueue(this.accumulator.takeSealed());
  }

  /** Whether writers must await `settle` before they continue. */
  get congested(): boolean {
    return this.failure !== undefined || this.bytesQueued + this.sender.bytesOnTheirWay > CONGESTED_BYTES;
  }

  /** Resolves when fewer bytes are in flight; rejects with the cause once the transaction has failed. */
  async settle(): Promise<void> {
    while (this.congested) {
      if (this.failure) throw await this.failure;
      this.enqueue([]); // resends what a broker did not take
      await this.sending;
      await this.sender.someLanded();
    }
  }

  /** Commits the transaction with all its records and these offsets. */
  async commit(offsets: readonly GroupOffset[]): Promise<void> {
    this.committing = true;
    this.enqueue(this.accumulator.takeAll());
    await this.sending;
    if (offsets.length > 0) await this.guard(() => this.commitOffsets(offsets));
    await this.guard(() => this.sender.flush());
    if (this.added.size > 0) await this.guard(() => this.end(true));
    if (this.failure) throw await this.failure;
    this.added.clear();
    this.opened = false;
    this.usedLast = [...this.used.values()];
    this.used = new Map();
    this.offsetsLast = offsets.length > 0;
    this.committing = false;
  }

  /**
   * Aborts an open transaction, so that readers need not wait until the broker does. Waits for the end markers of the last one, so
   * that who reads after a run sees its end.
   *
   * A task that hangs is closed while it writes or commits. From here on it does nothing more: what it wrote after the abort would be
   * a transaction of its own, such as the offsets of an epoch without its records.
   */
  async close(): Promise<void> {
    // After a failure, and of a commit that is under way, the result is unknown: the next owner ends the transaction, or its timeout.
    const isKnown = this.failure === undefined && !this.committing;
    const { transactionalId: where } = this.options;
    this.failure ??= Promise.resolve(new MillraceError('state', 'the transaction is closed', { where }));
    if (isKnown) await this.abort().catch(() => undefined); // then the next owner does
    await this.connections.close();
  }

  private async abort(): Promise<void> {
    await this.sending;
    await this.sender.flush();
    if (this.added.size > 0) await this.end(false);
    if (this.ended) await this.markersWritten();
  }

  /**
   * Opens a transaction for the partitions of the previous one, in parallel to the work, so that the commit need not wait for it.
   */
  private open(): void {
    this.opened = true;
    this.openedMs = Date.now(); // the wall clock, because a monotonic clock stops while the machine sleeps
    if (this.ownEpochs) return;
    this.step(async () => {
      await this.span(this.usedLast);
      if (this.offsetsLast) await this.spanGroup();
    });
  }

  private enqueue(batches: readonly OutgoingBatch[]): void {
    const bytes = batches.reduce((sum, batch) => sum + batch.bytes.length, 0);
    this.bytesQueued += bytes;
    for (const { topic, partition } of batches) this.used.set(`${partition}/${topic}`, { topic, partition });
    this.step(async () => {
      await this.span(batches);
      await this.sender.send(batches);
      this.bytesQueued -= bytes;
    });
  }

  /** Runs a step after the previous one: a partition is added to the transaction before its first batch is sent. */
  private step(step: () => Promise<void>): void {
    this.sending = this.sending.then(() => this.guard(step));
  }

  private async span(partitions: readonly TopicPartition[]): Promise<void> {
    const { transactionalId } = this.options;
    const fresh = new Map<string, number[]>();
    for (const { topic, partition } of partitions) {
      const key = `${partition}/${topic}`;
      if (this.added.has(key)) continue;
      this.added.add(key);
      getOrInsert(fresh, topic, () => []).push(partition);
    }
    if (fresh.size === 0 || this.ownEpochs) return; // their leaders add them
    const topics = [...fresh].map(([name, each]) => ({ name, partitions: each }));
    const { producerId, producerEpoch } = this;
    const transaction = { transactionalId, producerId, producerEpoch, verifyOnly: false, topics };
    await this.coordinator.request(addPartitionsToTxnV3.api, [transaction]);
  }

  private async spanGroup(): Promise<void> {
    const { transactionalId, group } = this.options;
    const key = `group ${group}`;
    if (this.added.has(key)) return;
    this.added.add(key);
    if (this.ownEpochs) return; // the coordinator of the group adds it
    await this.coordinator.request(addOffsetsToTxnV3.api, transactionalId, this.producerId, this.producerEpoch, group);
  }

  private async commitOffsets(offsets: readonly GroupOffset[]): Promise<void> {
    const { transactionalId, group } = this.options;
    const { producerId, producerEpoch } = this;
    await this.spanGroup();
    const topics = offsets.map(({ topic, partition, offset }) => ({
      name: topic,
      partitions: [{ partitionIndex: partition, committedOffset: BigInt(offset), committedLeaderEpoch: -1 }],
    }));
    const send = ({ generation, memberId }: MemberIdentity) =>
      this.groupCoordinator.request(
        this.ownEpochs ? commitOffsetsInOwnEpochApi : txnOffsetCommitV4.api,
        transactionalId,
        group,
        producerId,
        producerEpoch,
        generation,
        memberId,
        null,
        topics,
      );
    const { lease } = this.options;
    if (lease) await duringLease(lease, send);
    else await send(NO_MEMBER);
  }

  /** A transaction is decided before its markers are in the partitions. */
  private async markersWritten(): Promise<void> {
    const untilMs = Date.now() + MARKERS_MS;
    while ((await this.state()).startsWith('Prepare') && Date.now() < untilMs) await pause(5);
  }

  private async end(commit: boolean): Promise<void> {
    this.ended = true;
    const end = [this.options.transactionalId, this.producerId, this.producerEpoch, commit] as const;
    if (!this.ownEpochs) {
      await this.coordinator.request(endTxnV3.api, ...end);
      return;
    }
    const { producerId, producerEpoch } = await this.coordinator.request(endInOwnEpochApi, ...end);
    this.producerId = producerId;
    this.producerEpoch = producerEpoch;
    this.accumulator.restart();
  }

  /** Runs a step unless an earlier one failed; its failure fails the transaction. */
  private async guard(step: () => Promise<unknown>): Promise<void> {
    if (this.failure) return;
    try {
      await step();
    } catch (error) {
      this.failure ??= this.explain(error);
    }
  }

  /**
   * Distinguishes a fenced transaction from a timed-out one. A broker that aborts a timed-out transaction answers as if there were
   * a new owner. A request for the next epoch as the current owner tells them apart. It is not sent while a transaction is open:
   * that belongs to the new owner, and the broker would abort it before it compares epochs. It is not sent either if the
   * transaction is younger than its timeout: the first request of a new owner leaves it aborted as well, and until its next request
   * the broker cannot tell the two apart.
   */
  private async explain(error: unknown): Promise<MillraceError> {
    const { transactionalId: where, timeoutMs, group } = this.options;
    if (!hasCode(error, code.invalidProducerEpoch, code.producerFenced)) {
      const right = missingRight(error, group);
      if (right !== undefined) return brokerError('sink', right.message, error, { where, hint: right.hint });
      return brokerError('sink', 'the transaction failed and will be read again', error, { where });
    }
    try {
      const { producerId, producerEpoch } = this;
      if (Date.now() - this.openedMs < timeoutMs || !(await this.mayBeTimedOut())) throw error;
      await this.coordinator.requestAgain(initProducerIdV5.api, where, timeoutMs, producerId, producerEpoch);
    } catch (cause) {
      const hint = 'stop one of the two: a topology runs once on a cluster, under its name';
      return new MillraceError('fenced', 'another process has taken the task over', { where, hint, cause });
    }
    const hint =
      'the process was suspended, or an epoch takes too long: raise transactionTimeout or lower the interval';
    const message = `a transaction took longer than ${timeoutMs} ms and was aborted by the broker`;
    return new MillraceError('sink', message, { where, hint, cause: error });
  }

  /** Whether the last transaction of this id was aborted; a later one belongs to another owner. */
  private async mayBeTimedOut(): Promise<boolean> {
    return /Abort|Fence/.test(await this.state());
  }

  private async state(): Promise<string> {
    const { transactionalId } = this.options;
    const { transactionStates } = await this.coordinator.requestAgain(describeTransactionsV0.api, [transactionalId]);
    return transactionStates[0]?.transactionState ?? '';
  }
}
