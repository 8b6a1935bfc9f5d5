import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hours, millis } from '../../../src/core/index.js';
import { dedupe } from '../../../src/operators/basic/dedupe.js';
import { checkOperator, driveOperator } from '../../../src/testing/operator-contract.js';

interface Value {
  readonly id: string | number | null | undefined;
}
const hour = 3_600_000;
const at = (id: Value['id'], eventTimeMs: number) => ({ value: { id }, eventTimeMs });
const operator = (retention = hours(24), keysMax = 1_000) =>
  dedupe({ key: (value: Value) => value.id, retention, keysMax });
const ids = (run: ReturnType<typeof driveOperator>) => run.emitted.map(({ value }) => (value as Value).id);

describe('dedupe', () => {
  it('keeps the operator contract', () => {
    const samples = [
      at('a', 0),
      at(1, 5),
      at('1', 6),
      at('a', 7),
      at(null, 8),
      at('', 8),
      at('b', 8.64e15),
      at('a', 30 * hour),
      at('a', 20 * hour),
      at(1, 29 * hour),
    ];
    checkOperator(operator(), samples, { stateBytesMax: 400 });
    checkOperator(operator(hours(2), 3), [
      ...samples,
      ...samples.map((s) => ({ ...s, eventTimeMs: s.eventTimeMs + hour })),
    ]);
  });

  it('keeps the contract for any records', () => {
    const record = fc.record({
      id: fc.constantFrom('a', 'b', 'c', 1, 2, null),
      t: fc.oneof(fc.integer({ min: 0, max: 400 }), fc.constant(1e15)),
    });
    fc.assert(
      fc.property(fc.array(record, { maxLength: 25 }), fc.integer({ min: 1, max: 5 }), (records, keysMax) =>
        checkOperator(
          operator(millis(96), keysMax),
          records.map(({ id, t }) => at(id, t)),
        ),
      ),
      { numRuns: 50 },
    );
  });

  it('agrees with a plain model: a key is a copy for exactly the retention from its first sight', () => {
    const record = fc.record({ id: fc.nat(8), step: fc.integer({ min: -150, max: 200 }) });
    fc.assert(
      fc.property(fc.array(record, { maxLength: 120 }), (records) => {
        let time = 1_000;
        let now = 0;
        const firstSeen = new Map<number, number>();
        const expected: [number, number][] = [];
        const inputs = records.map(({ id, step }, offset) => {
          time += step;
          now = Math.max(now, time);
          const first = firstSeen.get(id);
          if (first === undefined || now - first >= 240) {
            firstSeen.set(id, now);
            expected.push([id, offset]);
          }
          return at(id, time);
        });
        const run = driveOperator(operator(millis(240)), inputs);
        expect(run.emitted.map(({ value, origin }) => [(value as Value).id, origin.offset])).toEqual(expected);
        expect(run.counters.duplicates ?? 0).toBe(records.length - expected.length);
      }),
    );
  });

  it('drops copies within the retention, to the millisecond', () => {
    const day = 24 * hour;
    expect(ids(driveOperator(operator(), [at('a', 0), at('b', day - 1), at('a', day - 1)]))).toEqual(['a', 'b']);
    expect(ids(driveOperator(operator(), [at('a', 0), at('b', day), at('a', day)]))).toEqual(['a', 'b', 'a']);
  });

  it('finds a late copy, and copies of a late record', () => {
    const now = [at('a', 48 * hour), at('b', 48 * hour)];
    const { emitted, counters } = driveOperator(operator(), [...now, at('c', hour), at('a', hour), at('c', hour)]);
    expect([emitted.length, counters]).toEqual([3, { duplicates: 2 }]);
  });

  it('tells the number 1 from the text 1', () =>
    expect(ids(driveOperator(operator(), [at(1, 0), at('1', 0)]))).toEqual([1, '1']));

  it('tells any two ids apart, and finds each again', () => {
    const uuid = '0f8fad5b-d9cb-469f-a165-70867728950e';
    const given = [
      uuid,
      uuid.toUpperCase(),
      `${uuid}0`,
      '\ud83d',
      '\ude00',
      '\ufffd',
      '__proto__',
      'é',
      'e\u0301',
      2 ** 53,
      0.5,
    ];
    const run = driveOperator(
      operator(),
      [...given, ...given].map((id) => at(id, 0)),
    );
    expect([ids(run), run.counters]).toEqual([given, { duplicates: given.length }]);
  });

  it('forgets nothing because of one absurd time', () => {
    expect(ids(driveOperator(operator(), [at('a', 0), at('b', 1), at('c', 8.64e15), at('a', 2), at('b', 3)]))).toEqual([
      'a',
      'b',
      'c',
    ]);
  });

  it('sends empty keys to the dead letters', () => {
    const { emitted, deadLetters } = driveOperator(operator(), [
      at('', 0),
      at(null, 0),
      at(undefined, 0),
      at(Number.NaN, 0),
      at(0, 0),
    ]);
    expect(emitted).toHaveLength(1);
    expect(deadLetters.map(({ reason, detail }) => `${reason}: ${detail}`)).toEqual([
      'empty-key: the key is empty',
      'empty-key: the key is null',
      'empty-key: the key is undefined',
      'empty-key: the key is NaN',
    ]);
  });

  it('sends keys of other types to the dead letters, which data may hold that is not what its type says', () => {
    // Made numbers of, all but the text would be 1, and each a duplicate of the one before.
    const { emitted, deadLetters } = driveOperator(operator(), [
      at(1, 0),
      at(true as never, 0),
      at([1] as never, 0),
      at('true', 0),
    ]);
    expect(emitted).toHaveLength(2);
    expect(deadLetters.map(({ reason, detail }) => `${reason}: ${detail}`)).toEqual([
      'empty-key: the key is neither text nor number, but of type boolean',
      'empty-key: the key is neither text nor number, but of type object',
    ]);
  });

  it('forgets the oldest keys beyond keysMax, and counts them', () => {
    const run = driveOperator(operator(hours(24), 2), [at('a', 0), at('b', 0), at('c', 0), at('b', 0), at('a', 0)]);
    expect([ids(run), run.counters]).toEqual([['a', 'b', 'c', 'a'], { evicted: 2, duplicates: 1 }]);
  });

  it('says what is wrong with its options, and how it is set', () => {
    expect(operator().settings).toEqual({ retention: '1d', keysMax: 1_000 });
    expect(operator().problems).toEqual([]);
    expect(operator(millis(0), 0).problems).toHaveLength(2);
    const misspelt = { key: (value: Value) => value.id, retension: hours(24), keysMax: 10 };
    expect(dedupe(misspelt as never).problems).toMatchObject([
      { message: 'there is no option retension' },
      { message: 'the retention is missing' },
    ]);
  });
});
