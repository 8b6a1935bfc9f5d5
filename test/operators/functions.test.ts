import { describe, expect, it } from 'vitest';
import { functionProblems } from '../../src/operators/functions.js';
import { filter, flatMap, leftJoinTable, map, peek, route } from '../../src/operators/index.js';

describe('the functions that an operator is given', () => {
  it('are functions, and not async', () => {
    const key = (value: { id: string }) => value.id;
    expect(functionProblems({ key })).toEqual([]);
    expect(functionProblems({ key: undefined, value: 5, later: async () => 1 }).map(({ message }) => message)).toEqual([
      'key is missing',
      'value is no function',
      'later is an async function',
    ]);
  });

  it('are looked at by operators that are given one', () => {
    const later = async () => true;
    const operators = [
      map(later),
      filter(later as never),
      flatMap(later as never),
      peek(later),
      route({ a: later as never }),
      leftJoinTable({ key: later as never, combine: () => 1, keysMax: 1, pendingMax: 1 }),
    ];
    for (const { kind, problems } of operators) expect([kind, problems?.length]).toEqual([kind, 1]);
  });
});
