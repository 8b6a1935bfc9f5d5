import { describe, expect, it } from 'vitest';
import {
  detectInactivity,
  hours,
  innerJoin,
  match,
  minutes,
  sample,
  sampleWindows,
  startsWith,
  stratify,
  throttle,
  undersample,
  window,
} from '../../src/index.js';
import { type Driven, driveOperator } from '../../src/testing/drive-operator.js';
import { count, session, tumbling } from '../../src/window.js';

/** Data may hold what its type does not say. */
interface Value {
  readonly id: never;
}

const key = (value: Value) => value.id;
const bounds = { keysMax: 10 };
const quota = { records: 1, every: hours(1) };
const sides = { keys: { left: key, right: key }, within: { before: minutes(1), after: minutes(1) } };

const operators: readonly (readonly [string, Driven])[] = [
  ['throttle', throttle({ key, records: 1, per: hours(1), ...bounds })],
  ['window', window({ key, window: tumbling(minutes(1)), aggregate: { n: count() }, ...bounds })],
  ['window by session', window({ key, window: session({ gap: minutes(1) }), aggregate: { n: count() }, ...bounds })],
  ['detectInactivity', detectInactivity({ key, inactivityTimeout: minutes(1), ...bounds })],
  ['sample', sample({ key, rate: 0.5 })],
  ['stratify', stratify({ stratum: key, quota, strataMax: 10 })],
  ['sampleWindows', sampleWindows({ window: tumbling(minutes(1)), size: 1, key: () => 1, by: key, groupsMax: 10 })],
  ['undersample', undersample({ class: () => 'a', shares: { a: 1, b: 1 }, key, as: 'weight' })],
  ['innerJoin', innerJoin({ ...sides, combine: () => 1, entriesMax: 10 })],
  [
    'match',
    match({
      key,
      pattern: startsWith('a', (_: Value) => true),
      within: minutes(1),
      select: () => 1,
      runsMax: 10,
      pendingMax: 10,
    }),
  ],
];

describe.each(operators)('keys of %s', (_, operator) => {
  it.each([{}, [1], new Date(0), 5n, Symbol('key')])('are texts or numbers, not %s', (id) => {
    const { deadLetters, failure } = driveOperator(operator, [{ value: { id } }, { value: { id } }], { final: true });
    expect(failure).toBeUndefined();
    expect(deadLetters.map(({ reason }) => reason)).toEqual([
      expect.stringMatching(/^empty-(key|stratum)$/),
      expect.stringMatching(/^empty-(key|stratum)$/),
    ]);
    expect(deadLetters[0]?.detail).toContain(`is neither text nor number, but of type ${typeof id}`);
  });

  it.each([true, false])('may be %s', (id) => {
    const { deadLetters, failure } = driveOperator(operator, [{ value: { id } }], { final: true });
    expect(failure).toBeUndefined();
    expect(deadLetters).toEqual([]);
  });
});

it('classes of undersample may be true and false', () => {
  const operator = undersample({
    class: (late: boolean) => late,
    shares: { true: 1, false: 1 },
    key: () => 1,
    as: 'weight',
  });
  expect(driveOperator(operator, [{ value: true }, { value: false }]).deadLetters).toEqual([]);
});
