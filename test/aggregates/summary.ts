import fc from 'fast-check';
import { accumulatorOf } from '../../src/aggregates/accumulator.js';
import type { Aggregate } from '../../src/aggregates/index.js';
import { decode, encode, tags } from '../../src/state/codec.js';

export interface Entry<V> {
  readonly value: V;
  readonly timeMs: number;
}

/** An accumulator by itself, with what a checkpoint would keep of it. */
export class Summary<V> {
  private numbers: number[] = [];
  private values: unknown[] = [];
  private readonly accumulator;

  constructor(readonly aggregate: Aggregate<V, unknown>) {
    this.accumulator = accumulatorOf({ it: aggregate });
    this.accumulator.init(this.numbers, 0, this.values, 0);
  }

  add({ value, timeMs }: Entry<V>): this {
    this.accumulator.add(this.numbers, 0, this.values, 0, value, timeMs);
    return this;
  }

  retract({ value, timeMs }: Entry<V>): this {
    this.accumulator.retract(this.numbers, 0, this.values, 0, value, timeMs);
    return this;
  }

  merge(other: Summary<V>): this {
    this.accumulator.merge(this.numbers, 0, this.values, 0, other.numbers, 0, other.values, 0);
    return this;
  }

  /** Through a checkpoint and back. */
  restored(): this {
    [this.numbers, this.values] = decode(tags.value, encode(tags.value, [this.numbers, this.values])) as [
      number[],
      unknown[],
    ];
    return this;
  }

  /** All that is kept. */
  state(): readonly unknown[] {
    return [this.numbers, this.values];
  }

  result(): unknown {
    const row: Record<string, unknown> = {};
    this.accumulator.results(row, this.numbers, 0, this.values, 0);
    return row.it;
  }
}

export const resultOf = <V>(aggregate: Aggregate<V, unknown>, values: readonly V[]): unknown =>
  values.reduce((summary, value, timeMs) => summary.add({ value, timeMs }), new Summary(aggregate)).result();

/**
 * The result of entries over summaries of pieces of them, merged from the left or from the right, each through a
 * checkpoint on its way.
 */
export function merged<V>(
  aggregate: Aggregate<V, unknown>,
  entries: readonly Entry<V>[],
  pieces: number,
  fromRight: boolean,
): unknown {
  const length = Math.max(1, Math.ceil(entries.length / pieces));
  const summaries: Summary<V>[] = [];
  for (let at = 0; at < entries.length || at === 0; at += length) {
    const summary = new Summary(aggregate);
    for (const entry of entries.slice(at, at + length)) summary.add(entry).restored();
    summaries.push(summary);
  }
  if (fromRight) {
    const all = summaries.reduceRight((right, left) => new Summary(aggregate).merge(left).merge(right).restored());
    return all.result();
  }
  return summaries.reduce((all, summary) => all.merge(summary).restored(), new Summary(aggregate)).result();
}

/** Numbers as they come: some missing, some equal, of very different sizes. */
export const numberOrNot: fc.Arbitrary<number | null | undefined> = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: -50, max: 50 }) },
  { weight: 2, arbitrary: fc.double({ min: -1e6, max: 1e6, noNaN: true }) },
  { weight: 1, arbitrary: fc.constantFrom(null, undefined, Number.NaN, 0, -0) },
);

export const entriesOf = <V>(value: fc.Arbitrary<V>, maxLength = 60): fc.Arbitrary<Entry<V>[]> =>
  fc.array(fc.record({ value, timeMs: fc.nat(30) }), { maxLength });

export const present = (values: readonly (number | null | undefined)[]): number[] =>
  values.filter((value): value is number => value !== null && value !== undefined && !Number.isNaN(value));
