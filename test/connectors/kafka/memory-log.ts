import { ProtocolError } from '@platformatic/kafka';
import { batch } from '../../../connectors/kafka/protocol/record-batch.js';
import { at, marker, ofEpoch } from './batches.js';

interface Stored {
  readonly base: number;
  readonly next: number;
  readonly maxTimestampMs: number;
  readonly bytes: Buffer;
}

/** The log of one partition of `memoryKafka`: batches, open transactions and those that were aborted, as a broker keeps them. */
export class MemoryLog {
  start = 0;
  end = 0;
  private readonly batches: Stored[] = [];
  private readonly aborted: { readonly producerId: bigint; readonly firstOffset: number; readonly last: number }[] = [];
  private readonly sequences = new Map<string, number>();
  /** The first offset of each open transaction, by its producer's id. */
  readonly open = new Map<bigint, { readonly epoch: number; readonly firstOffset: number }>();

  constructor(readonly leaderEpoch: number) {}

  get stable(): number {
    return Math.min(this.end, ...[...this.open.values()].map(({ firstOffset }) => firstOffset));
  }

  /** Takes a batch of a producer, with the next sequence number only. */
  append(bytes: Buffer): void {
    const producerId = bytes.readBigInt64BE(batch.producerId);
    const epoch = bytes.readInt16BE(batch.producerEpoch);
    const count = bytes.readInt32BE(batch.count);
    if (producerId >= 0n) {
      const producer = `${producerId}/${epoch}`;
      const expected = this.sequences.get(producer) ?? 0;
      if (bytes.readInt32BE(batch.sequence) !== expected) throw new ProtocolError('OUT_OF_ORDER_SEQUENCE_NUMBER');
      this.sequences.set(producer, expected + count);
    }
    if (bytes.readInt16BE(batch.attributes) & batch.transactional && !this.open.has(producerId))
      this.open.set(producerId, { epoch, firstOffset: this.end });
    this.put(bytes);
  }

  /** Ends a producer's transaction. */
  finish(producerId: bigint, type: 'abort' | 'commit'): void {
    const transaction = this.open.get(producerId);
    const last = this.end;
    this.put(marker(last, producerId, type));
    this.open.delete(producerId);
    if (transaction && type === 'abort') this.aborted.push({ ...transaction, producerId, last });
  }

  deleteBefore(offset: number): void {
    this.start = offset;
    while ((this.batches[0]?.next ?? Number.POSITIVE_INFINITY) <= offset) this.batches.shift();
  }

  /** What readers of committed records get: whole batches from the one with the offset on, one at least. */
  read(offset: number, bytesMax: number) {
    if (offset < this.start || offset > this.end) throw new ProtocolError('OFFSET_OUT_OF_RANGE');
    const found: Buffer[] = [];
    let left = bytesMax;
    for (const { base, next, bytes } of this.batches) {
      if (next <= offset) continue;
      if (base >= this.stable || (found.length > 0 && bytes.length > left)) break;
      found.push(bytes);
      left -= bytes.length;
    }
    return { aborted: this.aborted.filter(({ last }) => last >= offset), bytes: Buffer.concat(found) };
  }

  /** The offset of the first batch with a record of this time or later; -1 if there is none. */
  offsetAt(timestampMs: number): number {
    return this.batches.find(({ maxTimestampMs }) => maxTimestampMs >= timestampMs)?.base ?? -1;
  }

  private put(given: Buffer): void {
    const bytes = ofEpoch(this.leaderEpoch, at(this.end, Buffer.from(given)));
    const next = this.end + bytes.readInt32BE(batch.lastOffsetDelta) + 1;
    const maxTimestampMs = Number(bytes.readBigInt64BE(batch.maxTimestamp));
    this.batches.push({ base: this.end, next, maxTimestampMs, bytes });
    this.end = next;
  }
}
