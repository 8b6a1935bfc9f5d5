import type { ConfidenceInterval, Problem } from '../core/index.js';

/** An array with the numbers of many accumulators. Those of one begin at `at`. */
export type Numbers = Float64Array | number[];

/** An aggregate whose state is a few numbers, in arrays that millions of accumulators share. */
export interface NumberLogic<in In, out Result = unknown> {
  readonly state: 'numbers';
  readonly size: number;
  /** Sets the state of an empty accumulator. */
  init(into: Numbers, at: number): void;
  add(into: Numbers, at: number, value: In, timeMs: number): void;
  /** Adds a value to the first `count` of several accumulators, each at the same place of its array: what `add` does with each. */
  addEach?(into: readonly Numbers[], count: number, at: number, value: In, timeMs: number): void;
  /** Adds another accumulator, which does not change. */
  merge(into: Numbers, at: number, from: Numbers, fromAt: number): void;
  result(from: Numbers, at: number): Result;
  /** Retracts a value that was added. */
  retract?(into: Numbers, at: number, value: In, timeMs: number): void;
}

/** An aggregate whose state is one value that a checkpoint can store: plain objects, arrays, strings, numbers, typed arrays. */
export interface ValueLogic<in In, Acc = unknown, out Result = unknown> {
  readonly state: 'value';
  create(): Acc;
  /** Changes and returns `acc`, or returns another value; so do `merge` and `retract`. */
  add(acc: Acc, value: In, timeMs: number): Acc;
  /** Adds a value to the first `count` of several accumulators, which it changes in place: what `add` does with each. */
  addEach?(accs: readonly Acc[], count: number, value: In, timeMs: number): void;
  merge(acc: Acc, other: Acc): Acc;
  /** Must not change `acc`, and must not return a part of it that changes later. */
  result(acc: Acc): Result;
  retract?(acc: Acc, value: In, timeMs: number): Acc;
}

/** That accumulators are numbers and merged by adding them place by place, wherever they are kept. */
export interface Additive {
  /** ClickHouse SQL of the result, from the text of an array with the sums of accumulators; none of a result that is no number. */
  readonly sql?: ((sums: string) => string) | undefined;
  /** How sure the result is, from the sums of an accumulator; none where they do not say. */
  readonly interval?: ((sums: readonly number[]) => ConfidenceInterval | undefined) | undefined;
}

/** How the values of a window become one result: inert data. */
export interface Aggregate<in In, out Result> {
  readonly kind: string;
  /** Its text in `describe`. A restore refuses accumulators of an aggregate with another text. */
  readonly text: string;
  readonly logic: NumberLogic<In, Result> | ValueLogic<In, unknown, Result>;
  readonly problems: readonly Problem[];
  readonly additive?: Additive | undefined;
}

/** The type of an aggregate's result. */
export type ResultOf<A> = A extends Aggregate<never, infer Result> ? Result : never;

/** The functions of your own aggregate: the argument of `aggregate`. */
export interface AggregateDefinition<In, Acc, Result> {
  /** It identifies the accumulators in a checkpoint. Change it when their meaning changes. */
  readonly name: string;
  create(): Acc;
  /** May change and return `acc`. `timeMs` is the event time of the record. */
  add(acc: Acc, value: In, timeMs: number): Acc;
  /** Combines two accumulators, in any order and grouping. May change and return `acc`, but not `other`. */
  merge(acc: Acc, other: Acc): Acc;
  /** Must not change `acc`, and must not return a part of it that changes later. */
  result(acc: Acc): Result;
  /** Retracts a value that was added; only if the aggregate can do that. */
  retract?(acc: Acc, value: In, timeMs: number): Acc;
}

/**
 * An aggregate of your own.
 *
 * @example
 * const span = aggregate({
 *   name: 'span',
 *   create: () => ({ min: Infinity, max: -Infinity }),
 *   add: (acc, trip: { distance: number }) => ({
 *     min: Math.min(acc.min, trip.distance),
 *     max: Math.max(acc.max, trip.distance),
 *   }),
 *   merge: (acc, other) => ({ min: Math.min(acc.min, other.min), max: Math.max(acc.max, other.max) }),
 *   result: ({ min, max }) => max - min,
 * });
 *
 * The functions must depend on their arguments only. Accumulators are stored in the checkpoint, so they must be plain data.
 * Memory: one accumulator per key and window (per key and slice if windows overlap).
 */
export function aggregate<In, Acc, Result>(definition: AggregateDefinition<In, Acc, Result>): Aggregate<In, Result> {
  const { name } = definition;
  const unnamed = {
    message: 'an aggregate without a name',
    hint: 'name it: its accumulators in the checkpoint belong to it',
  };
  return ofValue('aggregate', `aggregate ${name}`, definition, name === '' ? [unnamed] : []);
}

/** An aggregate over values. */
export function ofValue<In, Acc, Result>(
  kind: string,
  text: string,
  logic: Omit<ValueLogic<In, Acc, Result>, 'state'>,
  problems: readonly Problem[] = [],
): Aggregate<In, Result> {
  const { create, add, addEach, merge, result, retract } = logic;
  const valueLogic = {
    state: 'value',
    create,
    add,
    ...(addEach && { addEach }),
    merge,
    result,
    ...(retract && { retract }),
  } as const;
  return Object.freeze({ kind, text, logic: valueLogic, problems });
}

/** An aggregate over numbers. */
export function ofNumbers<In, Result>(
  kind: string,
  text: string,
  logic: Omit<NumberLogic<In, Result>, 'state'>,
  problems: readonly Problem[] = [],
): Aggregate<In, Result> {
  return Object.freeze({ kind, text, logic: { state: 'numbers' as const, ...logic }, problems });
}

/** The number that an aggregate uses; null, undefined and NaN are ignored. */
export type NumberOf<In> = (value: In) => number | null | undefined;

/** Whether aggregates ignore a value. */
export const isMissing = (value: unknown): value is null | undefined =>
  value === null || value === undefined || Number.isNaN(value);
