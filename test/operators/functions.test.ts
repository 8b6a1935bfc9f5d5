import { describe, expect, it } from 'vitest';
import { MillraceError, minutes, type Problem } from '../../src/core/index.js';
import { functionProblems } from '../../src/operators/functions.js';
import {
  detectInactivity,
  expectations,
  filter,
  flatMap,
  innerJoin,
  joinTable,
  leftJoinTable,
  map,
  match,
  outerJoinTables,
  peek,
  route,
  sample,
  sampleWindows,
  startsWith,
  stratify,
  undersample,
  validate,
} from '../../src/operators/index.js';
import { tumbling } from '../../src/operators/window/spec.js';

const later = (async () => true) as never;
const key = (value: { id: string }) => value.id;
const sides = { keys: { left: key, right: key }, within: { before: minutes(1), after: minutes(1) }, entriesMax: 1 };
const table = { keysMax: 1, pendingMax: 1 };
const matching = { key, within: minutes(1), runsMax: 1, pendingMax: 1 };
const pattern = startsWith('first', (_: { id: string }) => true);
const hourly = { window: tumbling(minutes(60)), size: 1 };
const quota = { records: 1, every: minutes(1) };

const wrong: readonly (readonly [string, () => { readonly problems?: readonly Problem[] }, string])[] = [
  ['validate', () => validate(expectations<{ id: string }>().that('good', later)), 'the predicate of that:good'],
  [
    'a pattern',
    () =>
      match({ ...matching, pattern: pattern.notFollowedBy('second', later).next('last', () => true), select: () => 1 }),
    'the predicate of second',
  ],
  ['match', () => match({ ...matching, pattern, select: later }), 'select'],
  ['match with timedOut', () => match({ ...matching, pattern, select: () => 1, timedOut: later }), 'timedOut'],
  ['innerJoin', () => innerJoin({ ...sides, combine: later }), 'combine'],
  ['joinTable', () => joinTable({ ...table, key, combine: later }), 'combine'],
  ['outerJoinTables', () => outerJoinTables({ keysMax: 1, combine: later }), 'combine'],
  ['sample', () => sample({ key: later, rate: 1 }), 'key'],
  ['sampleWindows', () => sampleWindows({ ...hourly, key: later }), 'key'],
  ['sampleWindows by group', () => sampleWindows({ ...hourly, key, by: later, groupsMax: 1 }), 'by'],
  ['stratify', () => stratify({ stratum: later, quota, strataMax: 1 }), 'stratum'],
  ['stratify by rates', () => stratify({ stratum: key, key: later, rates: { a: 0.5 } }), 'key'],
  ['undersample', () => undersample({ class: later, shares: { a: 1, b: 1 }, key, as: 'weight' }), 'class'],
  ['detectInactivity', () => detectInactivity({ key: later, inactivityTimeout: minutes(1), keysMax: 1 }), 'key'],
];

/** What an operator says is wrong, or what it is refused for. */
function said(make: () => { readonly problems?: readonly Problem[] }): string[] | undefined {
  try {
    return make().problems?.map(({ message }) => message);
  } catch (error) {
    if (!(error instanceof MillraceError)) throw error;
    return [error.message];
  }
}

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

  it.each(wrong)('are named where they are not plain: %s', (_, make, name) => {
    expect(said(make)).toEqual([expect.stringMatching(`(^|: )${name} is an async function$`)]);
  });
});
