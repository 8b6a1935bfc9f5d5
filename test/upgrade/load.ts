import { setTimeout as sleep } from 'node:timers/promises';
import type { Kafka } from '../../connectors/kafka/open.js';
import type { Event } from './topology.js';

const KEYS = 400;
const AT_ONCE_MAX = 2_000;

/** Writes the same events to all topics at a pace that may change. A key is in each topic, and the event time is the wall clock. */
export class Load {
  /** Over all topics. */
  written = 0;
  private running: Promise<void> | undefined;
  private stopping = false;

  constructor(
    private readonly kafka: Kafka,
    private readonly topics: readonly string[],
    /** Over all topics. */
    public recordsPerSecond: number,
  ) {}

  start(): void {
    this.running = this.run();
    this.running.catch(() => undefined); // `stop` tells
  }

  async stop(): Promise<void> {
    this.stopping = true;
    await this.running;
  }

  private async run(): Promise<void> {
    const { topics } = this;
    const producer = this.kafka.producer();
    let due = 0;
    let beforeMs = Date.now();
    while (!this.stopping) {
      const nowMs = Date.now();
      due += ((nowMs - beforeMs) * this.recordsPerSecond) / 1_000 / topics.length;
      beforeMs = nowMs;
      const from = this.written / topics.length;
      const count = Math.min(Math.floor(due), AT_ONCE_MAX);
      const records = Array.from({ length: count }, (_, index) => {
        const event: Event = { n: from + index, key: `k${(from + index) % KEYS}`, atMs: Date.now() };
        return { key: Buffer.from(event.key), value: Buffer.from(JSON.stringify(event)), timestampMs: event.atMs };
      });
      if (count > 0) await Promise.all(topics.map((topic) => producer.send(topic, records)));
      due -= count;
      this.written += topics.length * count;
      await sleep(20);
    }
  }
}
