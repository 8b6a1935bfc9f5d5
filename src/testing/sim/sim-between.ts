import {
  type InternalSinkOptions,
  internalWriter,
  type OutgoingRecord,
  type RawRecord,
  type SinkDriver,
  type TaskId,
} from '../../core/index.js';
import { localRegistry, openCodec } from '../../schema/index.js';
import type { Random } from './random.js';
import type { SimSession } from './sim-ledger.js';

/** The repartition topics: they grow with the checkpoints of the tasks that write them. Offsets have gaps. */
export class SimBetween {
  private readonly topics = new Map<string, RawRecord[][]>();

  constructor(
    private readonly partitions: number,
    private readonly random: Random,
  ) {}

  /** The records of a partition; the array grows. */
  records(topic: string, partition: number): readonly RawRecord[] {
    return this.partitionOf(topic, partition);
  }

  append(topic: string, partition: number, record: OutgoingRecord): void {
    const records = this.partitionOf(topic, partition);
    const gap = this.random.chance(0.1) ? this.random.int(3) : 0;
    records.push({ ...record, offset: (records.at(-1)?.offset ?? -1) + 1 + gap });
  }

  /** The sink driver of one process. */
  sinkDriver(sessionOf: (task: TaskId) => SimSession): SinkDriver {
    const { partitions } = this;
    return {
      mode: 'transactional',
      open: async (sink, { step, task }) => {
        const session = sessionOf(task);
        await session.process.reach(`open sink ${step}`);
        const options = sink.options as InternalSinkOptions;
        const writer = internalWriter({
          options,
          codec: await openCodec(options.schema, localRegistry()),
          partitions,
          now: () => session.process.clock.now(),
          append: (partition, record) => {
            session.pending.push(() => this.append(options.topic, partition, record));
          },
          settle: () => session.process.reach(`after write to ${step}`),
        });
        return { ...writer, close: async () => session.process.reach(`close of ${step}`) };
      },
    };
  }

  private partitionOf(topic: string, partition: number): RawRecord[] {
    let found = this.topics.get(topic);
    if (!found) {
      found = Array.from({ length: this.partitions }, () => []);
      this.topics.set(topic, found);
    }
    return found[partition] as RawRecord[];
  }
}
