import {
  MillraceError,
  type RawRecord,
  readerAround,
  type Source,
  type SourceDriver,
  type SourceReader,
} from '../../core/index.js';
import type { Chaos } from './chaos.js';
import type { Random } from './random.js';
import { placeOf, type SimLog } from './scenario.js';
import type { SimBetween } from './sim-between.js';
import type { SimProcess } from './sim-process.js';

/** A simulated source of JSON. */
export const simSource = <T>(topic: string, eventTimeOf: (value: T) => number): Source<T> => ({
  connector: 'sim',
  kind: 'sim.source',
  topic,
  schema: { format: 'json', subject: topic, definition: undefined },
  settings: {},
  eventTimeOf: (value) => eventTimeOf(value as T),
});

/** The logs as processes find them. They are complete, or grow with the number of processes that have started. */
export class SimLogs {
  constructor(
    private readonly log: SimLog,
    private readonly between: SimBetween,
    private readonly partitions: number,
    /** They are complete after this many processes have died: the last process finds all of it. */
    private readonly startsUntilComplete: number,
  ) {}

  areComplete(started: number): boolean {
    return started > this.startsUntilComplete;
  }

  /** All records of a partition, of now and of later. */
  all(topic: string, partition: number): readonly RawRecord[] {
    return this.log[topic]?.[partition] ?? this.between.records(topic, partition);
  }

  /** Those that a process finds when it opens the log. */
  found(topic: string, partition: number, started: number): readonly RawRecord[] {
    const records = this.all(topic, partition);
    if (this.areComplete(started)) return records;
    // The inputs of a task end far from each other.
    const share = started / (this.startsUntilComplete + 1);
    return records.slice(0, Math.floor(records.length * share ** ((topic.length + partition) % 2 ? 2 : 0.5)));
  }

  partitionsOf(topic: string): number {
    return this.log[topic]?.length ?? this.partitions;
  }
}

/** The source driver of one process; `onDelivered` gets the progress of each reader. */
export function simSourceDriver(
  /** The records of a partition; repartition topics grow. */
  recordsOf: (topic: string, partition: number) => readonly RawRecord[],
  partitionsOf: (topic: string) => number,
  process: SimProcess,
  chaos: Chaos,
  random: Random,
  onDelivered: (topic: string, partition: number, nextOffset: number) => void,
): SourceDriver {
  return {
    partitions: async ({ topic }) => {
      await process.reach('partitions');
      return partitionsOf(topic);
    },
    open: async ({ topic }, { partition, offset, bounded }): Promise<SourceReader> => {
      await process.reach(`open ${topic}`);
      const records = recordsOf(topic, partition);
      const end = bounded ? records.length : Number.POSITIVE_INFINITY;
      let next = placeOf(records, offset);
      let busy = false;
      const read = async (recordsMax: number) => {
        await process.reach(`before poll of ${topic}`);
        if (chaos.strikes('read', `${process.name} ${topic}`))
          throw new MillraceError('source', `${topic} is not answered`);
        const count = random.chance(0.5) ? recordsMax : random.int(recordsMax + 1);
        const taken = records.slice(next, Math.min(end, next + count));
        next += taken.length;
        if (taken.length === 0 && !bounded) await process.clock.sleep(5 + random.int(30));
        // The end is sometimes known with the last records, sometimes only afterwards.
        const ended = next >= end && (taken.length === 0 || random.chance(0.5));
        const last = taken.at(-1);
        if (last) onDelivered(topic, partition, last.offset + 1);
        await process.reach(`after poll of ${topic}`);
        return { records: taken, ended };
      };
      return {
        async poll(recordsMax) {
          if (busy) chaos.violated(`two polls of ${topic} at a time`);
          busy = true;
          try {
            return await read(recordsMax);
          } finally {
            busy = false;
          }
        },
        close: async () => {
          await process.reach(`close ${topic}`);
        },
      };
    },
  };
}

/** Counts the records that a source delivers. */
export function countingSource(driver: SourceDriver, count: (records: number) => void): SourceDriver {
  return {
    partitions: (source) => driver.partitions(source),
    open: async (...args) => {
      const reader = await driver.open(...args);
      return readerAround(reader, {
        poll: async (recordsMax, bytesMax) => {
          const polled = await reader.poll(recordsMax, bytesMax);
          count(polled.records.length);
          return polled;
        },
      });
    },
  };
}
