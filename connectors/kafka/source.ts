import { messageOf } from '../../src/core/errors.js';
import type { RawRecord } from '../../src/core/record.js';
import type { Polled, SourceDriver, SourceReader } from '../../src/core/source.js';
import { counted } from '../../src/util/counted.js';
import type { TaskSessions } from './checkpoint/task-session.js';
import { type Cluster, noTopic } from './connection/cluster.js';
import type { CommittedRange } from './group/committed.js';
import { holderText, holdingTransaction, StableOffsetWatch } from './open-transactions.js';
import { PartitionLog } from './partition-log.js';

/** The driver of `kafka.source`: one reader with its own connection for each task and input. */
export function kafkaSource(
  cluster: Cluster,
  sessions: TaskSessions,
  onWarning: (message: string) => void = () => undefined,
  warnAfterMs = WARN_AFTER_MS,
): SourceDriver {
  return {
    partitionsGrow: true,
    async partitions({ topic }) {
      const found = await cluster.refresh(topic);
      if (!found) throw noTopic(topic, true);
      return found.leaders.length;
    },
    async open({ topic, onDataLoss }, { task, partition, offset, bounded, step, sourceState }) {
      const { leaderEpoch: epoch = -1 } = (sourceState ?? {}) as Partial<KafkaSourceState>;
      const log = await PartitionLog.open(cluster, topic, partition, offset, { onDataLoss, epoch });
      // Without a session the checkpoints of the task are stored elsewhere, and no offsets are committed here.
      sessions.of(task)?.addInput(step, { topic, topicId: log.topicId });
      const end = await cluster.endOffset(topic, partition, 'committed');
      const onSkipped = (count: number) =>
        onWarning(
          `source '${step}': ${counted(count, 'record')} of ${topic}/${partition} ${count === 1 ? 'is' : 'are'} gone; reading continues at ${log.offset}`,
        );
      const tellOfHolder = async (stable: number, logEnd: number, ageMinMs = 0): Promise<void> => {
        const held = `source '${step}' reads ${topic}/${partition} to the last stable offset ${stable} only, ${counted(logEnd - stable, 'entry', 'entries')} before its end`;
        try {
          const holder = await holdingTransaction(cluster, topic, partition);
          if (holder === undefined || (holder.known && Date.now() - holder.known.startedMs < ageMinMs)) return;
          const { address } = await cluster.leader(topic, partition);
          onWarning(`${held}: ${holderText(holder, topic, partition, address)}`);
        } catch (error) {
          onWarning(`${held}; the transaction that holds it cannot be looked up: ${messageOf(error)}`);
        }
      };
      if (bounded) {
        const logEnd = await cluster.endOffset(topic, partition, 'any');
        if (logEnd > end) await tellOfHolder(end, logEnd, warnAfterMs);
      }
      const watch = new StableOffsetWatch(warnAfterMs, (stable, logEnd) => void tellOfHolder(stable, logEnd));
      const logEndNow = () => cluster.endOffset(topic, partition, 'any');
      return new PartitionReader(log, end, bounded, onSkipped, watch, logEndNow);
    },
  };
}

/** How long a transaction may stay open without a warning; as long as most clients give theirs. */
const WARN_AFTER_MS = 60_000;

/** What a checkpoint keeps beside an offset: the epoch of the leader that wrote the record before it. */
interface KafkaSourceState {
  readonly leaderEpoch: number;
}

const NONE: readonly RawRecord[] = [];

/** Memory: two fetched ranges. */
class PartitionReader implements SourceReader {
  private range: CommittedRange | undefined;
  /** Up to the high watermark: what an open transaction holds back is not read yet either. */
  logEnd: number | undefined;
  private asking: Promise<void> | undefined;
  private closed = false;
  /** Everything before it has been returned. */
  private given: number;
  /** A broker returned nothing more: what is missing before the end was compacted away. */
  private caughtUp = false;
  /** The offset at which a bounded read ends; later records came after it was opened. */
  private readonly end: number;

  constructor(
    private readonly log: PartitionLog,
    /** The end for readers of committed records when it was opened. */
    private readonly endAtOpen: number,
    bounded: boolean,
    private readonly onSkipped: (count: number) => void,
    private readonly watch: StableOffsetWatch,
    private readonly logEndNow: () => Promise<number>,
  ) {
    this.given = log.offset;
    this.end = bounded ? endAtOpen : Number.POSITIVE_INFINITY;
  }

  get isBehind(): boolean {
    return !this.caughtUp && this.given < this.endAtOpen;
  }

  async poll(recordsMax: number, bytesMax = Number.POSITIVE_INFINITY): Promise<Polled> {
    let records = this.given < this.end ? this.range?.take(recordsMax, bytesMax) : undefined;
    if (!records) {
      this.given = this.log.offset;
      if (this.closed || this.given >= this.end) return { records: NONE, ended: true };
      try {
        const range = await this.log.nextSoon();
        if (!range) return { records: NONE, ended: false };
        this.range = range;
        this.logEnd = this.range.logEnd;
        this.watch.note(this.range.stableEnd, this.range.logEnd, performance.now());
        this.caughtUp ||= this.log.offset === this.given;
      } catch (error) {
        if (this.closed) return { records: NONE, ended: true }; // `close` has closed the connection
        throw error;
      }
      records = this.range.take(recordsMax, bytesMax) ?? [];
    }
    const last = records.at(-1);
    if (last) this.given = last.offset + 1;
    if (this.given > this.end) records = records.filter(({ offset }) => offset < this.end);
    const skipped = this.log.takeSkipped();
    if (skipped > 0) this.onSkipped(skipped);
    return skipped > 0 ? { records, ended: false, skipped } : { records, ended: false };
  }

  /** One request at a time. A broker that does not answer is named by the next poll. */
  refreshLogEnd(): void {
    this.asking ??= this.logEndNow()
      .then(
        (end) => {
          this.logEnd = end;
        },
        () => undefined,
      )
      .finally(() => {
        this.asking = undefined;
      });
  }

  sourceStateOf(offset: number): KafkaSourceState | undefined {
    const leaderEpoch = this.log.epochBefore(offset);
    return leaderEpoch < 0 ? undefined : { leaderEpoch };
  }

  async close(): Promise<void> {
    this.closed = true;
    await this.log.close();
  }
}
