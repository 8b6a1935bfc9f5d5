import { setTimeout as sleep } from 'node:timers/promises';
import type { TopicProducer } from '../../src/core/profile.js';
import type { OutgoingRecord } from '../../src/core/record.js';
import { generator } from '../random.js';
import type { Click, Outcome, Topics } from './topology.js';

const START_MS = 1_700_000_000_000;
const EVENT_MS = 7;
const OUTCOME_AFTER_MS = 400;
const KEYS = 120;

/**
 * Writes `records` clicks and their outcomes, reproducibly by seed, at a steady pace. Every click says how many of its
 * key came before it: what a reader finds of it later can be right in one way only.
 */
export class Load {
  /** Clicks, poisoned ones included. */
  written = 0;
  poisoned = 0;
  private stopped = false;
  private readonly nth = new Map<string, number>();
  private readonly random: () => number;

  constructor(
    private readonly producer: TopicProducer,
    private readonly topics: Topics,
    seed: number,
    /** Every so many clicks one comes as bytes that are no click; none by default. */
    private readonly poisonEvery = 0,
  ) {
    this.random = generator(seed);
  }

  /** Writes until `records` are written or `stop` is called. */
  async run(records: number, perSecond: number): Promise<void> {
    const startedMs = Date.now();
    while (!this.stopped && this.written < records) {
      const due = Math.min(records, Math.ceil(((Date.now() - startedMs) * perSecond) / 1_000));
      if (due <= this.written) {
        await sleep(20);
        continue;
      }
      await this.write(Math.min(due - this.written, 2_000));
    }
  }

  stop(): void {
    this.stopped = true;
  }

  private async write(count: number): Promise<void> {
    const clicks: OutgoingRecord[] = [];
    const outcomes: OutgoingRecord[] = [];
    for (let i = 0; i < count; i++) {
      const n = this.written + i;
      const key = `k${Math.floor(this.random() * KEYS)}`;
      if (this.poisonEvery > 0 && n % this.poisonEvery === this.poisonEvery - 1) {
        clicks.push(poison(key, START_MS + n * EVENT_MS, n));
        this.poisoned++;
        continue;
      }
      const nth = (this.nth.get(key) ?? 0) + 1;
      this.nth.set(key, nth);
      const size = Math.round(this.random() * 100);
      const atMs = START_MS + n * EVENT_MS;
      clicks.push(record(key, atMs, { n, key, nth, atMs, size } satisfies Click));
      const later = atMs + OUTCOME_AFTER_MS;
      outcomes.push(record(key, later, { n, atMs: later, good: this.random() * 100 < size } satisfies Outcome));
    }
    await this.producer.send(this.topics.clicks, clicks);
    await this.producer.send(this.topics.outcomes, outcomes);
    this.written += count;
  }
}

const poison = (key: string, timestampMs: number, n: number): OutgoingRecord => ({
  key: Buffer.from(key),
  value: Buffer.from(`poison ${n}`),
  timestampMs,
});

const record = (key: string, timestampMs: number, value: unknown): OutgoingRecord => ({
  key: Buffer.from(key),
  value: Buffer.from(JSON.stringify(value)),
  timestampMs,
});
