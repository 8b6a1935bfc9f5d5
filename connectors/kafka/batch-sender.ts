import { TimeoutError } from '@platformatic/kafka';
import { getOrInsert } from '../../src/core/index.js';
import { code, hasCode, isLost, isMoved, retrying } from './broker-error.js';
import type { Cluster } from './cluster.js';
import { type Address, addressText, type Links } from './links.js';
import { wavesOf } from './outbox.js';
import { type OutgoingBatch, produceApi } from './produce.js';

type LedBatches = readonly [leader: Address, batches: OutgoingBatch[]];

const REQUEST_BYTES_MAX = 8 * 1024 * 1024;

/**
 * Sends sealed batches to the leaders of their partitions, several requests at once and in order. What a broker did not
 * take, because it leads no more or was not reached, is sent again in the same order: the sequences in the batches let
 * brokers drop what they have already.
 */
export class BatchSender {
  private readonly inFlight = new Set<Promise<void>>();
  private refused: OutgoingBatch[] = [];
  private refusal: unknown;
  private failure: unknown;
  private bytes = 0;

  constructor(
    private readonly cluster: Cluster,
    private readonly links: Links,
    private readonly transactionalId: string | null,
  ) {}

  /** Bytes sent that are not acknowledged yet. */
  get bytesOnTheirWay(): number {
    return this.bytes;
  }

  /** Resolves when the batches are on their way; calls must not overlap. Rejects once anything has failed for good. */
  async send(batches: readonly OutgoingBatch[]): Promise<void> {
    if (this.refused.length > 0) await this.sendAgain();
    if (this.failure !== undefined) throw this.failure;
    for (const { bytes } of batches) this.bytes += bytes.length;
    await this.dispatch(batches);
  }

  /** Resolves when some of what is under way has been answered, for better or worse. */
  async someLanded(): Promise<void> {
    if (this.inFlight.size > 0) await Promise.race(this.inFlight);
  }

  /** Resolves when everything sent is safe; rejects with what failed for good. */
  async flush(): Promise<void> {
    await Promise.all(this.inFlight);
    if (this.refused.length > 0) await this.sendAgain();
    if (this.failure !== undefined) throw this.failure;
  }

  private sendAgain(): Promise<void> {
    const attempt = async () => {
      await Promise.all(this.inFlight);
      const again = this.refused;
      this.refused = [];
      await this.dispatch(again);
      await Promise.all(this.inFlight);
      if (this.failure !== undefined) throw this.failure;
      if (this.refused.length > 0) throw this.refusal;
    };
    return retrying(attempt, {
      while: isPassing,
      firstMs: 10,
      mostMs: 1_000,
      totalMs: this.cluster.patienceMs,
      before: async () => {
        for (const topic of new Set(this.refused.map((batch) => batch.topic))) await this.cluster.refresh(topic);
      },
    });
  }

  private async dispatch(batches: readonly OutgoingBatch[]): Promise<void> {
    for (const wave of wavesOf(batches, REQUEST_BYTES_MAX)) {
      for (const [leader, led] of await this.byLeader(wave)) {
        try {
          // Awaited before the request and not inside it: requests must enter the connection in the order of sequences.
          const connection = await this.links.to(leader);
          this.track(
            leader,
            led,
            produceApi.async(connection, { transactionalId: this.transactionalId, batches: led }),
          );
        } catch (error) {
          this.judge(error, led);
        }
      }
    }
  }

  private async byLeader(batches: readonly OutgoingBatch[]): Promise<Iterable<LedBatches>> {
    const led = new Map<string, LedBatches>();
    for (const batch of batches) {
      const { address } = await this.cluster.leader(batch.topic, batch.partition);
      getOrInsert(led, addressText(address), (): LedBatches => [address, []])[1].push(batch);
    }
    return led.values();
  }

  private track(leader: Address, batches: readonly OutgoingBatch[], sent: Promise<void>): void {
    const done = sent
      .then(() => {
        for (const { bytes } of batches) this.bytes -= bytes.length;
      })
      .catch((error: unknown) => {
        if (error instanceof TimeoutError) this.links.drop(leader);
        this.judge(error, batches);
      })
      .then(() => {
        this.inFlight.delete(done);
      });
    this.inFlight.add(done);
  }

  private judge(error: unknown, batches: readonly OutgoingBatch[]): void {
    // What followed a refused batch of its partition is out of order, and in order once both are sent again.
    const followed = this.refused.length > 0 && hasCode(error, code.outOfOrderSequence);
    if (isPassing(error) || followed) {
      this.refusal = error;
      this.refused.push(...batches);
    } else {
      this.failure ??= error;
    }
  }
}

const isPassing = (error: unknown): boolean => isLost(error) || isMoved(error);
