import { expect, it } from 'vitest';
import { kafka } from '../../connectors/kafka/index.js';
import { partitionOf } from '../../src/core/partition.js';
import {
  detectInactivity,
  json,
  leftJoin,
  leftJoinTable,
  match,
  minutes,
  startsWith,
  topology,
} from '../../src/index.js';
import { Counters } from '../../src/runtime/task-state.js';
import { type DrivenInput, DrivenStep } from '../../src/testing/drive-operator.js';
import { rescaleTasks } from '../../src/topology/rescale.js';
import { openAfter } from './restored.js';

interface Value {
  readonly key: string;
}

const key = (value: Value) => value.key;
const each = (timeMs: number, input = 0, more: object = {}): DrivenInput[] =>
  [...'abcdefgh'].map((letter, i) => ({ input, value: { key: letter, ...more }, eventTimeMs: timeMs + i }));

const inactivity = (keysMax: number) => detectInactivity({ key, inactivityTimeout: minutes(1), keysMax });
const matching = (runsMax: number) =>
  match({
    key,
    pattern: startsWith('first', (_: Value) => true).followedBy('second', () => false),
    within: minutes(1),
    select: () => 'never',
    timedOut: (_, span) => span.key,
    runsMax,
    pendingMax: 100,
  });
const tableJoin = (keysMax: number) =>
  leftJoinTable({ key, combine: (value: Value, row: unknown) => [value.key, row], keysMax, pendingMax: 10 });
const keysOf = (partition: number): string[] =>
  [...'abcdefghijklmnopqrstuvwxyz']
    .filter((letter) => partitionOf(new TextEncoder().encode(letter), 2) === partition)
    .slice(0, 8);
const sides = { keys: { left: key, right: key }, within: { before: minutes(1), after: minutes(1) } };
const streamJoin = (entriesMax: number) =>
  leftJoin({ ...sides, combine: (left: Value, right: Value | null) => [left.key, right?.key], entriesMax });

it('detectInactivity goes on with fewer keys than it follows', () => {
  const step = openAfter(inactivity(10), each(0), inactivity(3));
  for (const clockMs of [1, 60_002, 120_004]) step.push({ value: null, clockMs });
  expect(step.failure).toBeUndefined();
  expect(step.emitted.map(({ value }) => (value as Value).key)).toEqual([...'abcdefgh']);
});

it('match goes on with fewer runs than it has', () => {
  const step = openAfter(matching(20), [...each(0), ...each(100)], matching(3));
  step.push({ value: { key: 'z' }, eventTimeMs: 50 });
  step.push({ value: { key: 'z' }, eventTimeMs: 60_050 });
  step.end();
  expect(step.failure).toBeUndefined();
  expect(step.emitted.filter(({ value }) => value === 'a')).toHaveLength(2);
});

it('leftJoinTable goes on with fewer keys than its table has, and forgets rows that are gone', () => {
  const change = (after: unknown) => ({ before: null, after });
  const step = openAfter(tableJoin(10), each(0, 1, change('row')), tableJoin(3));
  for (const input of each(100, 1, change(null))) step.push(input);
  step.push({ value: { key: 'a' }, eventTimeMs: 200 });
  step.push({ input: 1, value: { key: 'new', ...change('row') }, eventTimeMs: 201 });
  expect(step.failure).toBeUndefined();
  expect(step.emitted.map(({ value }) => value)).toEqual([['a', null]]);
  expect(step.deadLetters).toEqual([]);
});

it('leftJoin takes the entries of two tasks into one, however many those are together', () => {
  const operator = streamJoin(10);
  const joined = topology('joined', { deadLetters: kafka.deadLetterSink({ topic: 'dead' }) }, (t) => {
    const side = (topic: string) => t.source(topic, kafka.source({ topic, schema: json<Value>() }));
    side('left')
      .via('leftJoin', { right: side('right') }, operator)
      .to('out', kafka.sink({ topic: 'out', schema: json() }));
  });
  const stored = [0, 1].map((partition) => {
    const step = new DrivenStep(operator);
    for (const letter of keysOf(partition)) step.push({ value: { key: letter }, eventTimeMs: 0 });
    return { partition, topics: {}, state: step.takeChanges(), checkpoint: undefined };
  });
  const [made] = rescaleTasks(joined, stored, { tasks: 1, counters: () => new Counters() });
  const step = new DrivenStep(operator, 16, made?.state);
  step.push({ value: { key: 'a' }, eventTimeMs: 10 });
  step.push({ input: 1, value: { key: 'a' }, eventTimeMs: 70_000 });
  step.end();
  expect(step.failure).toBeUndefined();
  expect(step.emitted).toHaveLength(16);
  expect(step.deadLetters.map(({ reason }) => reason)).toEqual(['join-full', 'join-full']);
});
