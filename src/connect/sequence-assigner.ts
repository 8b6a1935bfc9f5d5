import { assert } from '../core/errors.js';
import type { Origin } from '../core/record.js';

/**
 * Numbers the values that one record causes at one sink: 0 for the first, 1 for the next. Topic, partition, offset and this number
 * identify a value, and every replay gives the same number, however it is divided into batches.
 *
 * Memory: one entry per topic. A task's records must reach its sinks in the order of their offsets; otherwise it throws `internal`,
 * because a wrong identity would overwrite another value.
 *
 * @example
 * const sequence = new SequenceAssigner();
 * sequence.next(origin); // 0, and 1 for the same origin again
 */
export class SequenceAssigner {
  private readonly last = new Map<string, { offset: number; n: number }>();
  private topic = '';
  private partition = -1;
  private current: { offset: number; n: number } | undefined;

  next({ topic, partition, offset }: Origin): number {
    if (!this.current || topic !== this.topic || partition !== this.partition) this.turnTo(topic, partition);
    const current = this.current as { offset: number; n: number };
    if (offset === current.offset) return ++current.n;
    assert(offset > current.offset, `record ${offset} of ${topic}/${partition} reached a sink after ${current.offset}`);
    current.offset = offset;
    current.n = 0;
    return 0;
  }

  private turnTo(topic: string, partition: number): void {
    const key = `${topic}/${partition}`;
    const known = this.last.get(key) ?? { offset: -1, n: 0 };
    this.last.set(key, known);
    this.topic = topic;
    this.partition = partition;
    this.current = known;
  }
}
