import { getOrInsert } from '../../src/util/maps.js';
import { retry } from '../../src/util/retry.js';
import { type Address, addressText } from './connection/address.js';
import type { ConnectionPool } from './connection/connection-pool.js';
import { code, hasCode, isLost, isMoved } from './protocol/broker-error.js';
import { type OutgoingBatch, produceApi } from './protocol/produce.js';
import { wavesOf } from './record-accumulator.js';

/** The leaders of partitions, as `Cluster` finds them. */
export interface Leaders {
  leader(topic: string, partition: number): Promise<{ readonly address: Address }>;
  refresh(topic: string): Promise<unknown>;
  readonly apiTimeoutMs: number;
}

/** Sends one request to one broker immediately; answers come in the order of the calls. */
export type Produce = (batches: readonly OutgoingBatch[]) => Promise<unknown>;

/** Returns a function that opens a connection for batches. */
export const producingOver =
  (connections: ConnectionPool, transactionalId: string | null, api = () => produceApi) =>
  async (leader: Address): Promise<Produce> => {
    const connection = await connections.to(leader);
    return (batches) => connection.send(api(), { transactionalId, batches });
  };

type LedBatches = readonly [leader: Address, batches: OutgoingBatch[]];

const REQUEST_BYTES_MAX = 8 * 1024 * 1024;

/**
 * Sends sealed batches to the leaders of their partitions, several requests in flight and in order. If a broker is no longer the
 * leader or cannot be reached, its batches are sent again in the same order. The sequence numbers in the batches let brokers drop
 * duplicates.
 */
export class BatchSender {
  private readonly inFlight = new Set<Promise<void>>();
  private refused: OutgoingBatch[] = [];
  /** The cause of the last resend. A cause that passes takes precedence over errors that follow from it. */
  private refusal: unknown;
  private readonly places = new WeakMap<OutgoingBatch, number>();
  private sent = 0;
  private failure: unknown;
  private bytes = 0;

  constructor(
    private readonly leaders: Leaders,
    private readonly connect: (leader: Address) => Promise<Produce>,
  ) {}

  /** Bytes sent and not yet acknowledged. */
  get bytesOnTheirWay(): number {
    return this.bytes;
  }

  /** Resolves when the batches have been sent; calls must not overlap. Rejects after a permanent failure. */
  send(batches: readonly OutgoingBatch[]): Promise<void> {
    return this.orFail(async () => {
      if (this.refused.length > 0) await this.sendAgain();
      for (const each of batches) {
        this.places.set(each, this.sent++);
        this.bytes += each.bytes.length;
      }
      await this.dispatch(batches);
    });
  }

  /** Resolves when some request in flight has been answered, successfully or not. */
  async someLanded(): Promise<void> {
    if (this.inFlight.size > 0) await Promise.race(this.inFlight);
  }

  /** Resolves when all batches are acknowledged; rejects with the first permanent failure. */
  flush(): Promise<void> {
    return this.orFail(async () => {
      await Promise.all(this.inFlight);
      if (this.refused.length > 0) await this.sendAgain();
    });
  }

  /** A failure is final, because later batches would leave a gap. */
  private async orFail(step: () => Promise<void>): Promise<void> {
    try {
      if (this.failure === undefined) await step();
    } catch (error) {
      this.failure ??= error;
    }
    if (this.failure !== undefined) throw this.failure;
  }

  private sendAgain(): Promise<void> {
    const attempt = async () => {
      await Promise.all(this.inFlight);
      const again = this.refused.sort((a, b) => (this.places.get(a) as number) - (this.places.get(b) as number));
      this.refused = [];
      this.refusal = undefined;
      try {
        await this.dispatch(again);
      } catch (error) {
        // Which of them were sent is unknown, so a further attempt could leave a gap.
        this.failure ??= error;
      }
      await Promise.all(this.inFlight);
      if (this.failure !== undefined) throw this.failure;
      if (this.refused.length > 0) throw this.refusal;
    };
    return retry(attempt, {
      retriable: (error) => this.failure === undefined && isPassing(error),
      waitMs: 10,
      waitMaxMs: 1_000,
      totalMs: this.leaders.apiTimeoutMs,
      before: async () => {
        for (const topic of new Set(this.refused.map((batch) => batch.topic))) await this.leaders.refresh(topic);
      },
    });
  }

  private async dispatch(batches: readonly OutgoingBatch[]): Promise<void> {
    for (const wave of wavesOf(batches, REQUEST_BYTES_MAX)) {
      for (const [leader, led] of await this.byLeader(wave)) {
        try {
          // Connect before the request, because requests must leave in the order of sequence numbers.
          const produce = await this.connect(leader);
          this.track(led, produce(led));
        } catch (error) {
          this.judge(error, led);
        }
      }
    }
  }

  private async byLeader(batches: readonly OutgoingBatch[]): Promise<Iterable<LedBatches>> {
    const led = new Map<string, LedBatches>();
    for (const batch of batches) {
      const { address } = await this.leaders.leader(batch.topic, batch.partition);
      getOrInsert(led, addressText(address), (): LedBatches => [address, []])[1].push(batch);
    }
    return led.values();
  }

  private track(batches: readonly OutgoingBatch[], sent: Promise<unknown>): void {
    const done = sent
      .then(() => {
        for (const { bytes } of batches) this.bytes -= bytes.length;
      })
      .catch((error: unknown) => this.judge(error, batches))
      .then(() => {
        this.inFlight.delete(done);
      });
    this.inFlight.add(done);
  }

  private judge(error: unknown, batches: readonly OutgoingBatch[]): void {
    // `OUT_OF_ORDER_SEQUENCE` follows from a refused batch of the same partition, whose own answer may not have arrived yet. If
    // nothing else was refused, the resend gets the same error, and that is a failure.
    if (isPassing(error) || hasCode(error, code.outOfOrderSequence)) {
      // Answers of several brokers come in any order, so an error may arrive before the refusal that caused it.
      if (this.refusal === undefined || !isPassing(this.refusal)) this.refusal = error;
      this.refused.push(...batches);
    } else {
      this.failure ??= error;
    }
  }
}

/**
 * A leader answers `CONCURRENT_TRANSACTIONS` while the transaction before is still being ended in its partition, and
 * `UNKNOWN_TOPIC_OR_PARTITION` while it has not heard of a new topic, or has just started. Whether a topic is really gone, its metadata
 * tells before batches are sent again.
 */
const isPassing = (error: unknown): boolean =>
  isLost(error) || isMoved(error) || hasCode(error, code.concurrentTransactions, code.unknownTopicOrPartition);
