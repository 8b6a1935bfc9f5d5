import { setTimeout as sleep } from 'node:timers/promises';
import { describeProducersV0, describeTransactionsV0, listTransactionsV0 } from '@platformatic/kafka';
import { type Address, addressText } from './connection/address.js';
import type { Cluster } from './connection/cluster.js';
import { ConnectionPool } from './connection/connection-pool.js';

/** The oldest open transaction of a partition. The last stable offset stays at its first record until it ends. */
export interface HoldingTransaction {
  readonly producerId: bigint;
  readonly producerEpoch: number;
  readonly startOffset: number;
  /** Its state at its coordinator; missing if no coordinator has it, so nothing will end it. */
  readonly known?: { readonly transactionalId: string; readonly startedMs: number; readonly timeoutMs: number };
}

/** How long the markers of a decided transaction may take to reach the partition. */
const MARKERS_MS = 1_000;

/**
 * Finds the transaction that holds the last stable offset of a partition; `undefined` if none is open.
 *
 * Asks the leader of the partition for its producers, and all brokers for the transactions that they coordinate.
 */
export async function holdingTransaction(
  cluster: Cluster,
  topic: string,
  partition: number,
): Promise<HoldingTransaction | undefined> {
  const connections = new ConnectionPool(cluster.linkOptions);
  try {
    const oldest = await oldestOpen(cluster, connections, topic, partition);
    if (oldest === undefined) return undefined;
    const known = await coordinated(cluster, connections, oldest.producerId);
    if (known) return { ...oldest, known };
    // Decided a moment ago, with markers on their way? Then it is gone soon.
    await sleep(MARKERS_MS);
    const still = await oldestOpen(cluster, connections, topic, partition);
    return still?.producerId === oldest.producerId && still.startOffset === oldest.startOffset ? oldest : undefined;
  } finally {
    await connections.close();
  }
}

async function oldestOpen(cluster: Cluster, connections: ConnectionPool, topic: string, partition: number) {
  const { address } = await cluster.leader(topic, partition);
  const asked = [{ name: topic, partitionIndexes: [partition] }];
  const { topics } = await connections.request(address, describeProducersV0.api, asked);
  const producers = topics[0]?.partitions[0]?.activeProducers ?? [];
  const open = producers.flatMap(({ producerId, producerEpoch, currentTxnStartOffset }) =>
    currentTxnStartOffset < 0n ? [] : [{ producerId, producerEpoch, startOffset: Number(currentTxnStartOffset) }],
  );
  return open.sort((a, b) => a.startOffset - b.startOffset)[0];
}

async function coordinated(
  cluster: Cluster,
  connections: ConnectionPool,
  producerId: bigint,
): Promise<HoldingTransaction['known']> {
  for (const broker of cluster.brokers().values()) {
    const { transactionStates } = await connections.request(broker, listTransactionsV0.api, [], [producerId], 0n, null);
    const id = transactionStates[0]?.transactionalId;
    if (id === undefined) continue;
    const described = await connections.request(broker, describeTransactionsV0.api, [id]);
    const state = described.transactionStates[0];
    if (state === undefined || !/^(Ongoing|Prepare)/.test(state.transactionState)) continue;
    const { transactionStartTimeMs, transactionTimeoutMs: timeoutMs } = state;
    return { transactionalId: id, startedMs: Number(transactionStartTimeMs), timeoutMs };
  }
  return undefined;
}

/** Who holds a partition, until when, and the command that ends it. */
export function holderText(
  { producerId, producerEpoch, startOffset, known }: HoldingTransaction,
  topic: string,
  partition: number,
  broker: Address,
): string {
  const abort = `kafka-transactions.sh --bootstrap-server ${addressText(broker)} abort --topic ${topic} --partition ${partition} --start-offset ${startOffset}`;
  const held = `the open transaction of producer id ${producerId} (epoch ${producerEpoch}) holds it`;
  if (known === undefined) return `${held}; no coordinator knows it, so it must be ended: ${abort}`;
  const until = new Date(known.startedMs + known.timeoutMs).toISOString();
  return `${held}, transactional id '${known.transactionalId}'; it ends with its producer, or by timeout at ${until}, or by: ${abort}`;
}

/**
 * Notices a last stable offset that stands still before the end of the log. Reports it once for each offset.
 *
 * Memory: three numbers.
 */
export class StableOffsetWatch {
  private stable = -1;
  private sinceMs = 0;
  private reported = false;

  constructor(
    private readonly warnAfterMs: number,
    private readonly onStill: (stable: number, end: number) => void,
  ) {}

  /** Takes the offsets of a fetch. */
  note(stable: number, end: number, nowMs: number): void {
    if (stable >= end) this.stable = -1;
    else if (stable !== this.stable) {
      this.stable = stable;
      this.sinceMs = nowMs;
      this.reported = false;
    } else if (!this.reported && nowMs - this.sinceMs >= this.warnAfterMs) {
      this.reported = true;
      this.onStill(stable, end);
    }
  }
}
