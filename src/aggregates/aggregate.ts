import type { Problem } from '../core/index.js';

/** Where the numbers of accumulators lie: those of one at `at`, as many as its logic says. */
export type Numbers = Float64Array | number[];

/** An aggregate whose state is a few numbers: they lie in arrays shared by millions of accumulators. */
export interface NumberLogic<in In, out Result = unknown> {
  readonly state: 'numbers';
  readonly size: number;
  /** Nothing was added yet. */
  init(into: Numbers, at: number): void;
  add(into: Numbers, at: number, value: In, timeMs: number): void;
  /** Takes in what another accumulator holds, which stays as it is. */
  merge(into: Numbers, at: number, from: Numbers, fromAt: number): void;
  result(from: Numbers, at: number): Result;
  /** Takes back a value that was added. */
  retract?(into: Numbers, at: number, value: In, timeMs: number): void;
}

/** An aggregate whose state is one value that a checkpoint can keep: plain objects, arrays, strings, numbers, typed arrays. */
export interface ValueLogic<in In, Acc = unknown, out Result = unknown> {
  readonly state: 'value';
  create(): Acc;
  /** May change and return `acc`, or return another; so may `merge` and `retract`. */
  add(acc: Acc, value: In, timeMs: number): Acc;
  merge(acc: Acc, other: Acc): Acc;
  /** Must not change `acc` nor hand out what later changes. */
  result(acc: Acc): Result;
  retract?(acc: Acc, value: In, timeMs: number): Acc;
}

/** How the values of a window become one result, as inert data. */
export interface Aggregate<in In, out Result> {
  readonly kind: string;
  /** How it reads in `describe`; accumulators of another text are not taken for its own after a restore. */
  readonly text: string;
  readonly logic: NumberLogic<In, Result> | ValueLogic<In, unknown, Result>;
  readonly problems: readonly Problem[];
}

/** What an aggregate gives. */
export type ResultOf<A> = A extends Aggregate<never, infer Result> ? Result : never;

/** What an aggregate of your own does: `aggregate` makes one of it. */
export interface AggregateDefinition<In, Acc, Result> {
  /** Stable: accumulators in a checkpoint belong to it. Change it when the meaning of an accumulator changes. */
  readonly name: string;
  create(): Acc;
  /** May change and return `acc`. `timeMs` is the record's event time. */
  add(acc: Acc, value: In, timeMs: number): Acc;
  /** What both hold, in any order and grouping; may change and return `acc`, leaves `other` as it is. */
  merge(acc: Acc, other: Acc): Acc;
  /** Must not change `acc` nor hand out what later changes. */
  result(acc: Acc): Result;
  /** Takes back a value that was added, where that can be done. */
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
 * The functions must depend on their arguments alone. Accumulators lie in the checkpoint, so they are plain data.
 * Memory: one accumulator a key and window (a key and slice where windows overlap).
 */
export function aggregate<In, Acc, Result>(definition: AggregateDefinition<In, Acc, Result>): Aggregate<In, Result> {
  const { name } = definition;
  const unnamed = {
    message: 'an aggregate without a name',
    hint: 'name it: its accumulators in the checkpoint belong to it',
  };
  return ofValue('aggregate', `aggregate ${name}`, definition, name === '' ? [unnamed] : []);
}

/** An aggregate over values: the one place where its types are erased. */
export function ofValue<In, Acc, Result>(
  kind: string,
  text: string,
  logic: Omit<ValueLogic<In, Acc, Result>, 'state'>,
  problems: readonly Problem[] = [],
): Aggregate<In, Result> {
  const { create, add, merge, result, retract } = logic;
  const valueLogic = { state: 'value', create, add, merge, result, ...(retract && { retract }) } as const;
  return Object.freeze({ kind, text, logic: valueLogic, problems });
}

/** An aggregate over numbers, likewise. */
export function ofNumbers<In, Result>(
  kind: string,
  text: string,
  logic: Omit<NumberLogic<In, Result>, 'state'>,
): Aggregate<In, Result> {
  return Object.freeze({ kind, text, logic: { state: 'numbers' as const, ...logic }, problems: [] });
}

/** What an aggregate looks at; null, undefined and NaN are passed over. */
export type NumberOf<In> = (value: In) => number | null | undefined;

/** Not there, as aggregates see it. */
export const isMissing = (value: unknown): value is null | undefined =>
  value === null || value === undefined || Number.isNaN(value);
