import { isDeepStrictEqual } from 'node:util';
import { accumulatorOf } from '../aggregates/accumulator.js';
import type { Aggregate } from '../aggregates/index.js';
import { MillraceError } from '../core/errors.js';
import { decode, encode, tags } from '../state/codec.js';

/** A value for an aggregate, with its event time. */
export interface AggregateSample<V> {
  readonly value: V;
  readonly timeMs: number;
}

/**
 * Checks what every aggregate promises, with the given samples (at least one):
 * - the same values give the same result and are not changed;
 * - merged parts give what all values give, in any grouping, and a merged part is not changed;
 * - a checkpoint and a restore change nothing;
 * - a returned result never changes;
 * - if values can be subtracted: a value that is added and subtracted leaves no trace, wherever it came.
 *
 * Numbers may differ by rounding (1e-9 of their size). With n samples it costs about n² additions.
 *
 * @example checkAggregate(weightedMean(priceOf, sizeOf), [{ value: { price: 1, size: 2 }, timeMs: 0 }]);
 * @throws MillraceError `internal` that names the broken promise
 */
export function checkAggregate<V>(aggregate: Aggregate<V, unknown>, samples: readonly AggregateSample<V>[]): void {
  if (samples.length === 0)
    throw new MillraceError('config', 'no samples to check the aggregate on', { hint: 'give it at least one' });
  const given = structuredClone(samples);
  const over = (some: readonly AggregateSample<V>[]): Held<V> =>
    some.reduce((held, sample) => held.add(sample), new Held(aggregate));
  const all = over(samples).result();
  same(over(samples).result(), all, 'the same values gave another result');
  same(samples, given, 'values were changed');

  for (let at = 0; at <= samples.length; at++) {
    const [left, right] = [samples.slice(0, at), samples.slice(at)];
    const where = `cut after ${at} values`;
    const part = over(right);
    const before = part.result();
    same(over(left).merge(part).result(), all, `${where}, merged, they gave another result`);
    same(part.result(), before, `${where}: a merge changed what was merged in`);
    const half = at >> 1;
    const [a, b] = [samples.slice(0, half), samples.slice(half, at)];
    same(over(a).merge(over(b)).merge(over(right)).result(), all, `${where}, merged from the left`);
    same(
      over(a)
        .merge(over(b).merge(over(right)))
        .result(),
      all,
      `${where}, merged from the right`,
    );
    const restored = right.reduce((held, sample) => held.add(sample).restored(), over(left).restored());
    same(restored.result(), all, `${where}: restored from a checkpoint, it gave another result`);
    const held = over(left);
    const handedOut = held.result();
    const copy = structuredClone(handedOut);
    for (const sample of right) held.add(sample);
    same(handedOut, copy, `${where}: a result changed after it was handed out`);
  }
  if (aggregate.logic.retract) checkRetraction(aggregate, samples, all);
}

function checkRetraction<V>(
  aggregate: Aggregate<V, unknown>,
  samples: readonly AggregateSample<V>[],
  all: unknown,
): void {
  samples.forEach((extra, at) => {
    for (let place = 0; place <= samples.length; place++) {
      const held = new Held(aggregate);
      samples.forEach((sample, i) => {
        if (i === place) held.add(extra);
        held.add(sample);
      });
      if (place === samples.length) held.add(extra);
      same(held.retract(extra).result(), all, `value ${at}, added at ${place} and taken back, left a trace`);
    }
  });
}

/** One accumulator, with its checkpointed state. */
class Held<V> {
  private numbers: number[] = [];
  private values: unknown[] = [];
  private readonly accumulator;

  constructor(aggregate: Aggregate<V, unknown>) {
    this.accumulator = accumulatorOf({ it: aggregate });
    this.accumulator.init(this.numbers, 0, this.values, 0);
  }

  add({ value, timeMs }: AggregateSample<V>): this {
    this.accumulator.add(this.numbers, 0, this.values, 0, value, timeMs);
    return this;
  }

  retract({ value, timeMs }: AggregateSample<V>): this {
    this.accumulator.retract(this.numbers, 0, this.values, 0, value, timeMs);
    return this;
  }

  merge(other: Held<V>): this {
    this.accumulator.merge(this.numbers, 0, this.values, 0, other.numbers, 0, other.values, 0);
    return this;
  }

  restored(): this {
    const bytes = encode(tags.value, [this.numbers, this.values]);
    [this.numbers, this.values] = decode(tags.value, bytes) as [number[], unknown[]];
    return this;
  }

  result(): unknown {
    const row: Record<string, unknown> = {};
    this.accumulator.results(row, this.numbers, 0, this.values, 0);
    return row.it;
  }
}

function same(actual: unknown, expected: unknown, promise: string): void {
  if (alike(actual, expected)) return;
  const text = (value: unknown) => JSON.stringify(value) ?? 'nothing';
  throw new MillraceError(
    'internal',
    `the aggregate breaks a promise: ${promise}: ${text(actual)} is not ${text(expected)}`,
  );
}

/** Equal except for rounding of numbers. */
function alike(a: unknown, b: unknown): boolean {
  if (typeof a === 'number' && typeof b === 'number')
    return Object.is(a, b) || Math.abs(a - b) <= 1e-9 * Math.max(1, Math.abs(a), Math.abs(b));
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((one, i) => alike(one, b[i]));
  if (isPlain(a) && isPlain(b)) {
    const names = Object.keys(a);
    return names.length === Object.keys(b).length && names.every((name) => name in b && alike(a[name], b[name]));
  }
  return isDeepStrictEqual(a, b);
}

const isPlain = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
