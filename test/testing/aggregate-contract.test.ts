import { describe, expect, it } from 'vitest';
import {
  type Aggregate,
  aggregate,
  collect,
  count,
  distinctCount,
  first,
  last,
  max,
  mean,
  min,
  quantiles,
  sum,
  topK,
  variance,
} from '../../src/aggregates/index.js';
import { checkAggregate } from '../../src/testing.js';

const samples = [3, 1, 4, 1, 5, 9, 2, 6].map((value, i) => ({ value, timeMs: i }));
const itself = (value: number) => value;

describe('checkAggregate', () => {
  const ours: Readonly<Record<string, Aggregate<number, unknown>>> = {
    count: count(),
    sum: sum(itself),
    mean: mean(itself),
    variance: variance(itself),
    min: min(itself),
    max: max(itself),
    first: first(itself),
    last: last(itself),
    collect: collect(itself, { valuesMax: 4 }),
    quantiles: quantiles(itself, [0.5]),
    distinctCount: distinctCount(itself),
    topK: topK(itself, 2),
  };
  it.each(Object.entries(ours))('finds nothing wrong with %s', (_, one) => checkAggregate(one, samples));

  const right = {
    name: 'numbers',
    create: () => ({ list: [] as number[] }),
    add: (acc: { list: number[] }, value: number) => ({ list: [...acc.list, value] }),
    merge: (acc: { list: number[] }, other: { list: number[] }) => ({ list: [...acc.list, ...other.list] }),
    result: ({ list }: { list: number[] }) => [...list],
  };
  it.each([
    ['merged', { ...right, merge: (acc: { list: number[] }) => acc }],
    [
      'changed what was merged in',
      {
        ...right,
        merge: (acc: { list: number[] }, other: { list: number[] }) => ({
          list: [...acc.list, ...other.list.splice(0)],
        }),
      },
    ],
    [
      'after it was handed out',
      {
        ...right,
        add: (acc: { list: number[] }, value: number) => {
          acc.list.push(value);
          return acc;
        },
        result: ({ list }: { list: number[] }) => list,
      },
    ],
    [
      'restored',
      {
        ...right,
        create: () => Object.assign(Object.create({ inherited: 1 }), { list: [] }),
        add: (acc: { list: number[]; inherited?: number }, value: number) =>
          Object.assign(Object.create(Object.getPrototypeOf(acc)), {
            list: [...acc.list, value * (acc.inherited ?? 2)],
          }),
      },
    ],
    ['left a trace', { ...right, retract: (acc: { list: number[] }) => acc }],
  ])('finds what is wrong: %s', (promise, definition) => {
    expect(() => checkAggregate(aggregate<number, { list: number[] }, number[]>(definition), samples)).toThrow(promise);
  });

  it('asks for samples', () => {
    expect(() => checkAggregate(count(), [])).toThrow('no samples');
  });
});
