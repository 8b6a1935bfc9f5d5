import type { Profile, RawRecord, SourceDriver } from '../../src/core/index.js';
import { MemoryProfile } from '../../src/testing/memory-profile.js';
import { getOrInsert } from '../../src/util/maps.js';
import type { EventClock } from '../server/event-clock.js';

/** A log that grows, and a profile that waits at its end. */
export class GrowingProfile {
  private readonly logs = new Map<string, RawRecord[]>();

  constructor(
    private readonly clock: EventClock,
    /** How long a poll waits for records. */
    private readonly pollMs = 50,
    readonly memory = new MemoryProfile(2),
  ) {}

  append(topic: string, partition: number, timesMs: readonly number[]): void {
    const log = this.log(topic, partition);
    for (const timeMs of timesMs)
      log.push({
        ...{ offset: log.length, key: null, timestampMs: timeMs },
        value: new TextEncoder().encode(JSON.stringify({ key: `${timeMs}`, timeMs })),
      });
  }

  get profile(): Profile {
    const { memory, clock, pollMs } = this;
    const sources: SourceDriver = {
      partitions: async ({ topic }) => (topic === 'events' ? 2 : 1),
      open: async ({ topic }, { partition, offset }) => {
        const log = this.log(topic, partition);
        let next = Math.max(0, offset);
        const poll = async (recordsMax: number) => {
          const records = log.slice(next, next + recordsMax);
          next += records.length;
          if (records.length === 0) await clock.sleep(pollMs);
          return { records, ended: false };
        };
        return { poll, close: async () => undefined };
      },
    };
    return {
      ...{ name: 'growing', schemas: memory.schemas, sinks: memory.sinks, sources: { memory: sources } },
      openLedger: (task) => memory.openLedger(task),
      close: () => memory.close(),
    };
  }

  private log(topic: string, partition: number): RawRecord[] {
    return getOrInsert(this.logs, `${topic}/${partition}`, () => []);
  }
}
