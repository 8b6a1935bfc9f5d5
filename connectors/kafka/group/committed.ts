import type { RawRecord } from '../../../src/core/record.js';
import { batch } from '../protocol/record-batch.js';
import {
  type Batch,
  damaged,
  isAbort,
  openRecords,
  type RecordsOfBatch,
  readBatch,
} from '../protocol/record-batch-decode.js';

/** An aborted transaction that overlaps a fetched range. */
export interface AbortedTransaction {
  readonly producerId: bigint;
  readonly firstOffset: number;
}

/** The most records of a batch in memory at once: a batch may consist of millions of empty ones. */
const RECORDS_MAX = 65_536;

/** A broker's answer for one partition. */
export interface FetchedPartition {
  readonly highWatermark: number;
  /** The last stable offset: the broker sends nothing beyond it. */
  readonly stableOffset: number;
  readonly aborted: readonly AbortedTransaction[];
  /** Whole batches; the last one may be cut off. */
  readonly bytes: Buffer;
}

/**
 * The committed records of one fetched range, batch by batch, from an offset that may be inside the first batch.
 *
 * It filters aborted transactions like Kafka's Java consumer: the batches of a producer id from the first offset of its aborted
 * transaction to its abort marker are dropped. A batch is a marker if its control bit is set. Each range is filtered by the list
 * that came with it; a transaction that began before the range is in that list too.
 *
 * @throws MillraceError `source` for bytes that are not batches: in the constructor for headers and checksums, in `take` for
 * records.
 * @example const range = new CommittedRange(fetched, 42, 'flights/0'); for (let records = range.take(); records; records =
 * range.take()) use(records); fetchFrom(range.nextOffset);
 */
export class CommittedRange {
  /** The offset to fetch next: after the last whole batch. */
  readonly nextOffset: number;
  /** The offset after the last record of the log, committed or not, as of this answer. */
  readonly logEnd: number;
  /** The last stable offset, also as of this answer. */
  readonly stableEnd: number;
  readonly bytes: number;
  /** By batch, its first offset and the epoch of the leader that wrote it. */
  readonly epochs: readonly (readonly [offset: number, epoch: number])[];
  private readonly batches: Batch[] = [];
  private readonly aborted: readonly AbortedTransaction[];
  private readonly live = new Set<bigint>();
  private abortedBegun = 0;
  private taken = 0;
  private open: RecordsOfBatch | undefined;

  constructor(
    { bytes, aborted, highWatermark, stableOffset }: FetchedPartition,
    private readonly fromOffset: number,
    private readonly where: string,
  ) {
    this.aborted = [...aborted].sort((a, b) => a.firstOffset - b.firstOffset);
    let nextOffset = fromOffset;
    for (let at = 0; ; ) {
      const next = readBatch(bytes, at, where);
      if (!next) break;
      at = next.end;
      nextOffset = Math.max(nextOffset, next.nextOffset);
      this.batches.push(next);
    }
    // The broker returns the first batch whole, however large it is, so a repeated fetch would return the same bytes.
    if (bytes.length > 0 && this.batches.length === 0)
      throw damaged(`${bytes.length} bytes hold no whole batch`, where);
    this.nextOffset = nextOffset;
    this.epochs = this.batches.map(({ baseOffset, leaderEpoch }) => [baseOffset, leaderEpoch]);
    this.logEnd = highWatermark;
    this.stableEnd = stableOffset;
    this.bytes = bytes.length;
  }

  /**
   * The next committed records of a batch, at most so many, and none after about `bytesMax` bytes; `undefined` at the end. Those that are
   * not taken yet are bytes: objects that wait would be copied by the garbage collector.
   */
  take(recordsMax = RECORDS_MAX, bytesMax = Number.POSITIVE_INFINITY): RawRecord[] | undefined {
    for (;;) {
      const records = this.open?.take(Math.min(recordsMax, RECORDS_MAX), bytesMax);
      if (records !== undefined) return records;
      this.open = undefined;
      const next = this.batches[this.taken];
      if (next === undefined) return undefined;
      this.taken += 1;
      if (this.keeps(next)) this.open = openRecords(next, this.fromOffset, this.where);
    }
  }

  private keeps(next: Batch): boolean {
    for (let begun = this.aborted[this.abortedBegun]; begun && begun.firstOffset < next.nextOffset; ) {
      this.live.add(begun.producerId);
      this.abortedBegun += 1;
      begun = this.aborted[this.abortedBegun];
    }
    if (next.attributes & batch.control) {
      if (next.count > 0 && isAbort(next, this.where)) this.live.delete(next.producerId);
      return false;
    }
    return !(next.attributes & batch.transactional && this.live.has(next.producerId));
  }
}
