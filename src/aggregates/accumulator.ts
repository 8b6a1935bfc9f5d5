import type { Problem } from '../core/index.js';
import type { Aggregate, NumberLogic, Numbers, ValueLogic } from './aggregate.js';
import { count } from './count.js';

export type Aggregates<In> = Readonly<Record<string, Aggregate<In, unknown>>>;

/**
 * Several aggregates as one. An accumulator is `numbers` numbers and `values` values in arrays of the caller. Every call reads and writes
 * only there.
 */
export interface Accumulator<in In> {
  readonly names: readonly string[];
  readonly numbers: number;
  readonly values: number;
  /** Whether every aggregate can retract. */
  readonly retracts: boolean;
  /** The layout of accumulators. Those of another layout cannot be read. */
  readonly layout: readonly (readonly [name: string, text: string])[];
  init(numbers: Numbers, at: number, values: unknown[], valueAt: number): void;
  add(numbers: Numbers, at: number, values: unknown[], valueAt: number, value: In, timeMs: number): void;
  /** Adds a value to the first `count` of several accumulators, each in arrays of its own, at the same place: what `add` does with each. */
  addEach(
    numbers: readonly Numbers[],
    at: number,
    values: readonly unknown[][],
    count: number,
    value: In,
    timeMs: number,
  ): void;
  /** Retracts a value; only if `retracts`. */
  retract(numbers: Numbers, at: number, values: unknown[], valueAt: number, value: In, timeMs: number): void;
  merge(
    numbers: Numbers,
    at: number,
    values: unknown[],
    valueAt: number,
    fromNumbers: Numbers,
    fromAt: number,
    fromValues: readonly unknown[],
    fromValueAt: number,
  ): void;
  /** Whether all values were retracted; only known if `counted`. */
  isEmpty(numbers: Numbers, at: number): boolean;
  /** The numbers of the aggregates that are merged by addition, by name. */
  sums(numbers: Numbers, at: number, values: readonly unknown[], valueAt: number): Record<string, number[]>;
  /** Writes the results by name, in the order of the names. */
  results(
    into: Record<string, unknown>,
    numbers: Numbers,
    at: number,
    values: readonly unknown[],
    valueAt: number,
  ): void;
}

interface Placed<L> {
  readonly logic: L;
  readonly name: string;
  /** Relative to the start of the accumulator. */
  readonly offset: number;
}

/** Of an aggregate, in an array that many accumulators share; one with more numbers has an array of its own, as a value. */
const SHARED_MAX = 64;

/**
 * Combines aggregates. With `counted`, one more number counts the values, so that an empty accumulator is known. `sharedMax` is
 * for callers that have an array for each accumulator: then all numbers may lie in it, and less memory is touched.
 */
export function accumulatorOf<In>(
  aggregates: Aggregates<In>,
  { counted = false, sharedMax = SHARED_MAX }: { readonly counted?: boolean; readonly sharedMax?: number } = {},
): Accumulator<In> {
  const entries = Object.entries(aggregates);
  const overNumbers: Placed<NumberLogic<In>>[] = [];
  const overValues: Placed<ValueLogic<In>>[] = [];
  let size = 0;
  const place = (name: string, logic: NumberLogic<In>): void => {
    overNumbers.push({ logic, name, offset: size });
    size += logic.size;
  };
  if (counted) place('', count().logic as NumberLogic<In>);
  const large: (readonly [name: string, logic: NumberLogic<In>])[] = [];
  for (const [name, { logic }] of entries) {
    if (logic.state === 'value') overValues.push({ logic, name, offset: overValues.length });
    else if (logic.size <= SHARED_MAX) place(name, logic);
    else if (logic.size <= sharedMax) large.push([name, logic]);
    else overValues.push({ logic: inOwnArray(logic) as ValueLogic<In>, name, offset: overValues.length });
  }
  // Behind the others, of which every value changes all: those lie together.
  for (const [name, logic] of large) place(name, logic);
  const inOrder = entries.map(([name]) => ({
    name,
    number: overNumbers.find((placed) => placed.name === name),
    value: overValues.find((placed) => placed.name === name) as Placed<ValueLogic<In>>,
  }));
  // By place: `for of` over a handful costs more than what it loops over.
  const own: unknown[] = [];
  const n = overNumbers.length;
  const v = overValues.length;
  return {
    names: entries.map(([name]) => name),
    numbers: size,
    values: v,
    retracts: entries.every(([, { logic }]) => logic.retract !== undefined),
    layout: [...(counted ? [['', 'count'] as const] : []), ...entries.map(([name, { text }]) => [name, text] as const)],
    isEmpty: counted ? (numbers, at) => numbers[at] === 0 : () => false,

    init(numbers, at, values, valueAt) {
      for (let i = 0; i < n; i++) {
        const { logic, offset } = overNumbers[i] as Placed<NumberLogic<In>>;
        logic.init(numbers, at + offset);
      }
      for (let i = 0; i < v; i++) values[valueAt + i] = (overValues[i] as Placed<ValueLogic<In>>).logic.create();
    },

    add(numbers, at, values, valueAt, value, timeMs) {
      for (let i = 0; i < n; i++) {
        const { logic, offset } = overNumbers[i] as Placed<NumberLogic<In>>;
        logic.add(numbers, at + offset, value, timeMs);
      }
      for (let i = 0; i < v; i++) {
        const place = valueAt + i;
        values[place] = (overValues[i] as Placed<ValueLogic<In>>).logic.add(values[place], value, timeMs);
      }
    },

    addEach(numbers, at, values, count, value, timeMs) {
      for (let i = 0; i < n; i++) {
        const { logic, offset } = overNumbers[i] as Placed<NumberLogic<In>>;
        if (logic.addEach) logic.addEach(numbers, count, at + offset, value, timeMs);
        else for (let k = 0; k < count; k++) logic.add(numbers[k] as Numbers, at + offset, value, timeMs);
      }
      for (let i = 0; i < v; i++) {
        const { logic } = overValues[i] as Placed<ValueLogic<In>>;
        if (logic.addEach) {
          for (let k = 0; k < count; k++) own[k] = (values[k] as unknown[])[i];
          logic.addEach(own, count, value, timeMs);
        } else
          for (let k = 0; k < count; k++) {
            const states = values[k] as unknown[];
            states[i] = logic.add(states[i], value, timeMs);
          }
      }
    },

    retract(numbers, at, values, valueAt, value, timeMs) {
      for (const { logic, offset } of overNumbers) logic.retract?.(numbers, at + offset, value, timeMs);
      for (const { logic, offset } of overValues)
        values[valueAt + offset] = logic.retract?.(values[valueAt + offset], value, timeMs);
    },

    merge(numbers, at, values, valueAt, fromNumbers, fromAt, fromValues, fromValueAt) {
      for (let i = 0; i < n; i++) {
        const { logic, offset } = overNumbers[i] as Placed<NumberLogic<In>>;
        logic.merge(numbers, at + offset, fromNumbers, fromAt + offset);
      }
      for (let i = 0; i < v; i++) {
        const place = valueAt + i;
        const { logic } = overValues[i] as Placed<ValueLogic<In>>;
        values[place] = logic.merge(values[place], fromValues[fromValueAt + i]);
      }
    },

    sums(numbers, at, values, valueAt) {
      const sums: Record<string, number[]> = {};
      for (const { name, number, value } of inOrder) {
        if (aggregates[name]?.additive === undefined) continue;
        const from = at + (number?.offset ?? 0);
        sums[name] = Array.from(
          number ? numbers.slice(from, from + number.logic.size) : (values[valueAt + value.offset] as Float64Array),
        );
      }
      return sums;
    },

    results(into, numbers, at, values, valueAt) {
      for (let i = 0; i < inOrder.length; i++) {
        const { name, number, value } = inOrder[i] as (typeof inOrder)[number];
        into[name] = number
          ? number.logic.result(numbers, at + number.offset)
          : value.logic.result(values[valueAt + value.offset]);
      }
    },
  };
}

/** The same aggregate, with each accumulator in an array of its own. */
function inOwnArray<In, Result>(logic: NumberLogic<In, Result>): ValueLogic<In, Float64Array, Result> {
  const { size, init, add, addEach, merge, result, retract } = logic;
  const changed = (own: Float64Array, change: (own: Float64Array) => void): Float64Array => {
    change(own);
    return own;
  };
  return {
    state: 'value',
    create: () => changed(new Float64Array(size), (own) => init(own, 0)),
    add: (own, value, timeMs) => changed(own, () => add(own, 0, value, timeMs)),
    ...(addEach && {
      addEach: (all: readonly Float64Array[], count: number, value: In, timeMs: number) =>
        addEach(all, count, 0, value, timeMs),
    }),
    merge: (own, other) => changed(own, () => merge(own, 0, other, 0)),
    result: (own) => result(own, 0),
    ...(retract && {
      retract: (own: Float64Array, value: In, timeMs: number) => changed(own, () => retract(own, 0, value, timeMs)),
    }),
  };
}

/** The problems of aggregates, each with the name of its aggregate. */
export function aggregateProblems<In>(aggregates: Aggregates<In>): Problem[] {
  return Object.entries(aggregates).flatMap(([name, { problems }]) =>
    problems.map(({ message, hint }) => ({ message: `${name}: ${message}`, hint })),
  );
}

/** Problems of aggregates that cannot retract, for windows of changes. */
export function retractionProblems<In>(aggregates: Aggregates<In>): Problem[] {
  return Object.entries(aggregates)
    .filter(([, { logic }]) => logic.retract === undefined)
    .map(([name, { kind }]) => ({
      message: `${name}: ${kind} cannot retract`,
      hint: 'over changes use count, sum, mean, variance, quantiles, metrics, or an aggregate of your own with `retract`',
    }));
}
