import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { days, millis } from '../../../src/core/index.js';
import { type MatchOptions, match, type Pattern, type Skip, startsWith } from '../../../src/operators/index.js';
import { DrivenStep } from '../../../src/testing/drive-operator.js';
import { checkOperator, type DrivenInput, driveOperator } from '../../../src/testing/operator-contract.js';
import { openAfter } from '../restored.js';
import { type Event, type Match, naive, patternOf, type Spec, skipping, specs } from './match-model.js';

// Events are words such as `b2`: what they are by their first letter, and which one.
type Word = string;
const is = (letters: string) => (word: Word) => letters.includes(word.charAt(0));

type Options = Partial<MatchOptions<Word, string, Record<string, unknown>, string, string>>;
const wordsOf = (matched: Readonly<Record<string, unknown>>): string =>
  Object.values(matched)
    .flat()
    .filter((word) => word !== undefined)
    .join(' ');

const operatorOf = (pattern: Pattern<Word, unknown>, options: Options = {}) =>
  match({
    key: () => 'k',
    pattern: pattern as Pattern<Word, Record<string, unknown>>,
    within: millis(1_000),
    select: wordsOf,
    runsMax: 1_000,
    pendingMax: 100,
    ...options,
  });

/** One event a millisecond. */
const samplesOf = (words: string): DrivenInput[] =>
  words.split(' ').map((value, at) => ({ value, eventTimeMs: 100 + at }));

const matchesOf = (pattern: Pattern<Word, unknown>, words: string, options: Options = {}): unknown[] => {
  const { emitted, deadLetters, failure } = driveOperator(operatorOf(pattern, options), samplesOf(words), {
    final: true,
  });
  expect([deadLetters, failure]).toEqual([[], undefined]);
  return emitted.map(({ value }) => value);
};

const a = startsWith('a', is('a'));

describe('contiguity, as the field documents it', () => {
  it.each([
    ['next', a.next('b', is('b')), []],
    ['followedBy', a.followedBy('b', is('b')), ['a b1']],
    ['followedByAny', a.followedByAny('b', is('b')), ['a b1', 'a b2']],
  ])('a %s b, over a c b1 b2', (_, pattern, expected) => {
    expect(matchesOf(pattern, 'a c b1 b2')).toEqual(expected);
  });

  const loops = a.followedByAny('b', is('b')).oneOrMore();
  it.each([
    ['strict', loops.consecutive().next('c', is('c')), ['a b3 c']],
    [
      'relaxed',
      loops.followedBy('c', is('c')),
      ['a b1 b2 b3 c', 'a b1 b2 c', 'a b1 c', 'a b2 b3 c', 'a b2 c', 'a b3 c'],
    ],
    [
      'any',
      loops.allowCombinations().followedBy('c', is('c')),
      ['a b1 b2 b3 c', 'a b1 b2 c', 'a b1 b3 c', 'a b1 c', 'a b2 b3 c', 'a b2 c', 'a b3 c'],
    ],
  ])('a b+ c within the loop %s, over a b1 d1 b2 d2 b3 c', (_, pattern, expected) => {
    expect(matchesOf(pattern, 'a b1 d1 b2 d2 b3 c')).toEqual(expected);
  });

  const c = startsWith('c', is('c'));
  const middle = c.followedBy('a', is('a')).oneOrMore();
  it.each([
    ['consecutive', middle.consecutive(), ['c a1 a2 a3 b', 'c a1 a2 b', 'c a1 b']],
    ['relaxed', middle, ['c a1 a2 a3 a4 b', 'c a1 a2 a3 b', 'c a1 a2 b', 'c a1 b']],
    [
      'in any combination',
      middle.allowCombinations(),
      [
        'c a1 a2 a3 a4 b',
        'c a1 a2 a3 b',
        'c a1 a2 a4 b',
        'c a1 a2 b',
        'c a1 a3 a4 b',
        'c a1 a3 b',
        'c a1 a4 b',
        'c a1 b',
      ],
    ],
  ])('c a+ b %s, over c d a1 a2 a3 d a4 b', (_, pattern, expected) => {
    expect(matchesOf(pattern.followedBy('b', is('b')), 'c d a1 a2 a3 d a4 b')).toEqual(expected);
  });
});

describe('skip strategies, as the field documents them', () => {
  const bc = startsWith('b', is('b')).oneOrMore().next('c', is('c'));
  it.each([
    ['none', ['b1 b2 b3 c', 'b2 b3 c', 'b3 c']],
    ['to-next', ['b1 b2 b3 c', 'b2 b3 c', 'b3 c']],
    ['past-last', ['b1 b2 b3 c']],
    [{ toFirst: 'b' }, ['b1 b2 b3 c', 'b2 b3 c', 'b3 c']],
    [{ toLast: 'b' }, ['b1 b2 b3 c', 'b3 c']],
  ] as const)('%j: b+ c over b1 b2 b3 c', (skip, expected) => {
    expect(matchesOf(bc, 'b1 b2 b3 c', { skip })).toEqual(expected);
  });

  const abc = startsWith('x', is('abc')).next('y', is('bc')).next('c', is('c')).oneOrMore().greedy().next('d', is('d'));
  it.each([
    ['none', ['a b c1 c2 c3 d', 'b c1 c2 c3 d', 'c1 c2 c3 d']],
    [{ toFirst: 'c' }, ['a b c1 c2 c3 d', 'c1 c2 c3 d']],
  ] as const)('%j: (a | b | c) (b | c) c+ greedy d over a b c1 c2 c3 d', (skip, expected) => {
    expect(matchesOf(abc, 'a b c1 c2 c3 d', { skip })).toEqual(expected);
  });

  it.each([
    ['none', ['a b1', 'a b1 b2', 'a b1 b2 b3']],
    ['to-next', ['a b1']],
  ] as const)('%j: a b+ over a b1 b2 b3', (skip, expected) => {
    expect(matchesOf(a.next('b', is('b')).oneOrMore(), 'a b1 b2 b3', { skip })).toEqual(expected);
  });
});

describe('match', () => {
  const DISORDER = 5;
  /** A log whose times rise and trail the latest one by at most `DISORDER`. */
  const logs = fc
    .array(fc.tuple(fc.nat(3), fc.nat(DISORDER), fc.constantFrom('a', 'b', 'c', 'd'), fc.constantFrom('k', 'l')), {
      maxLength: 14,
    })
    .map((steps) => {
      let nowMs = 100;
      return steps.map(([rise, trail, letter, key], n): Event => {
        nowMs += rise;
        return { key, letter, n, timeMs: nowMs - trail };
      });
    });
  const withins = fc.integer({ min: 1, max: 25 });
  const skips = fc.constantFrom<Skip>('to-next', 'past-last', { toLast: 's0' }, { toFirst: 's1' }, { toLast: 's1' });

  type Matched = Readonly<Record<string, unknown>>;
  const numbersOf = (matched: Matched) =>
    Object.entries(matched).flatMap(([name, events]) =>
      [events ?? []].flat().map((event) => [name, (event as Event).n]),
    );
  const operator = (spec: Spec, withinMs: number, skip: Skip = 'none', bounds = {}) =>
    match({
      key: (event: Event) => event.key,
      pattern: patternOf(spec),
      within: millis(withinMs),
      skip,
      select: (matched, { key }) => ({ key, of: numbersOf(matched) }),
      timedOut: (begun, { key }) => ({ key, begun: numbersOf(begun) }),
      runsMax: 1_000_000,
      runsPerKeyMax: 1_000_000,
      pendingMax: 100,
      ...bounds,
    });
  const samples = (log: readonly Event[]) => log.map((value) => ({ value, eventTimeMs: value.timeMs }));
  const drive = (spec: Spec, log: readonly Event[], withinMs: number, skip: Skip = 'none') => {
    const driven = driveOperator(operator(spec, withinMs, skip), samples(log), { disorderMs: DISORDER, final: true });
    expect([driven.deadLetters, driven.failure, driven.counters.refused ?? 0]).toEqual([[], undefined, 0]);
    return driven.emitted.map(
      ({ value, origin }) => [value as { key: string; of?: unknown; begun?: unknown }, origin.eventTimeMs] as const,
    );
  };
  const sortedOf = (log: readonly Event[], key: string) =>
    log.filter((event) => event.key === key).toSorted((a, b) => a.timeMs - b.timeMs || a.n - b.n);
  const toldOf = (events: readonly Event[], { sequence }: Match) =>
    sequence.map(([at, part]) => [`s${part}`, events[at]?.n]);

  it('finds every match by its definition, when it is certain, whatever the order within the disorder', () => {
    fc.assert(
      fc.property(specs, logs, withins, (spec, log, withinMs) => {
        const emitted = drive(spec, log, withinMs);
        for (const key of ['k', 'l']) {
          const events = sortedOf(log, key);
          const { matches, missed } = naive(spec, events, withinMs);
          const expected = (each: Match) => [toldOf(events, each), each.certainMs];
          const of = emitted.filter(([value]) => value.key === key);
          expect(of.filter(([{ of: told }]) => told).map(([{ of: told }, atMs]) => [told, atMs])).toEqual(
            matches.map(expected),
          );
          expect(of.filter(([{ begun }]) => begun).map(([{ begun }, atMs]) => [begun, atMs])).toEqual(
            missed.map(expected),
          );
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it('skips by first event, then as matches were certain', () => {
    fc.assert(
      fc.property(specs, logs, withins, skips, (spec, log, withinMs, chosen) => {
        const skip = operator(spec, withinMs, chosen).problems?.length === 0 ? chosen : 'past-last';
        const emitted = drive(spec, log, withinMs, skip).filter(([{ of }]) => of);
        for (const key of ['k', 'l']) {
          const events = sortedOf(log, key);
          const expected = skipping(skip, naive(spec, events, withinMs).matches);
          const of = emitted.filter(([value]) => value.key === key);
          expect(of.map(([{ of: told }]) => told)).toEqual(expected.map((each) => toldOf(events, each)));
          of.forEach(([, atMs], at) => {
            expect(atMs).toBeGreaterThanOrEqual(expected[at]?.certainMs ?? Number.POSITIVE_INFINITY);
          });
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it('keeps the operator contract, restored anywhere', () => {
    fc.assert(
      fc.property(specs, logs, withins, skips, (spec, log, withinMs, skip) => {
        const step = operator(spec, withinMs, skip);
        fc.pre(step.problems?.length === 0); // a skip to a stage that is not there
        checkOperator(step, samples(log).slice(0, 9), { disorderMs: 3 });
      }),
      { numRuns: 60 },
    );
  });

  it('emits nothing that what comes later could change', () => {
    fc.assert(
      fc.property(specs, logs, logs, withins, skips, fc.nat(14), (spec, log, other, withinMs, skip, cut) => {
        const changed = [...log.slice(0, cut), ...other.map((event) => ({ ...event, timeMs: event.timeMs + 300 }))];
        const upTo = (events: readonly Event[]) =>
          driveOperator(operator(spec, withinMs, skip), samples(events), { disorderMs: DISORDER }).emitted.filter(
            ({ origin }) => origin.offset < Math.min(cut, log.length),
          );
        expect(upTo(changed)).toEqual(upTo(log));
      }),
      { numRuns: 200 },
    );
  });

  it('within bounds, emits what it emits without them or less, and counts what it refused', () => {
    const bounds = fc.record({
      runsMax: fc.integer({ min: 1, max: 6 }),
      runsPerKeyMax: fc.integer({ min: 1, max: 4 }),
    });
    fc.assert(
      fc.property(specs, logs, withins, bounds, (spec, log, withinMs, { runsMax, runsPerKeyMax }) => {
        const tight = driveOperator(operator(spec, withinMs, 'none', { runsMax, runsPerKeyMax }), samples(log), {
          disorderMs: DISORDER,
          final: true,
        });
        expect([tight.failure, tight.deadLetters]).toEqual([undefined, []]);
        const texts = tight.emitted.map(({ value, origin }) => JSON.stringify([value, origin.eventTimeMs]));
        const all = drive(spec, log, withinMs).map((each) => JSON.stringify(each));
        expect(all).toEqual(expect.arrayContaining(texts));
        if ((tight.counters.refused ?? 0) === 0) expect(texts).toEqual(all);
      }),
      { numRuns: 300 },
    );
  });
});

describe('what must not follow', () => {
  const quiet = a.notFollowedBy('b', is('b'));
  const timesOf = (words: string, withinMs: number, pattern: Pattern<Word, unknown> = quiet) => {
    const { emitted } = driveOperator(operatorOf(pattern, { within: millis(withinMs) }), samplesOf(words), {
      final: true,
    });
    return emitted.map(({ value, origin }) => [value, origin.eventTimeMs]);
  };

  it('at the end of a pattern, is waited for until its time is over', () => {
    expect(timesOf('a1 c a2 b', 3)).toEqual([['a1', 103]]); // `b` comes at 103: too late for a1, in time for a2
    expect(timesOf('a1 c b', 3)).toEqual([]);
    expect(timesOf('a1', 3)).toEqual([['a1', 103]]);
  });

  it('directly, is known with the next event, or when there is none', () => {
    const direct = a.notNext('b', is('b'));
    expect(timesOf('a1 c a2 b', 9, direct)).toEqual([['a1', 101]]);
    expect(timesOf('a1', 9, direct)).toEqual([['a1', 109]]);
  });

  it('between two stages, ends the match that it comes into', () => {
    expect(matchesOf(quiet.followedBy('c', is('c')), 'a1 b a2 d c')).toEqual(['a2 c']);
    expect(matchesOf(a.notNext('b', is('b')).followedBy('c', is('c')), 'a1 b a2 d b c')).toEqual(['a2 c']);
  });

  it('sees what was matched before it', () => {
    const same = a.notFollowedBy('again', (word, { a: first }) => word === first).followedBy('c', is('c'));
    expect(matchesOf(same, 'a1 a2 a1 c')).toEqual(['a2 c', 'a1 c']);
  });
});

describe('greedy stages', () => {
  const greedy = a.oneOrMore().greedy();

  it('take all that fits before the next one begins', () => {
    expect(matchesOf(greedy.followedBy('b', is('ab')), 'a1 a2 x a3 b', { skip: 'past-last' })).toEqual(['a1 a2 a3 b']);
    expect(matchesOf(a.times(1, 2).greedy().followedBy('b', is('ab')), 'a1 a2 a3', { skip: 'past-last' })).toEqual([
      'a1 a2 a3',
    ]);
  });

  it('at the end of a pattern, are over when nothing more can come', () => {
    const emitted = (pattern: Pattern<Word, unknown>) =>
      driveOperator(operatorOf(pattern, { within: millis(10), skip: 'past-last' }), samplesOf('a1 a2 x a3'), {
        final: true,
      }).emitted.map(({ value, origin }) => [value, origin.eventTimeMs]);
    expect(emitted(greedy.consecutive())).toEqual([
      ['a1 a2', 102],
      ['a3', 113],
    ]);
    expect(emitted(greedy)).toEqual([['a1 a2 a3', 110]]);
    expect(emitted(a.times(1, 2).greedy())).toEqual([
      ['a1 a2', 101],
      ['a3', 113],
    ]);
  });
});

describe('an operator of patterns', () => {
  const ab = a.followedBy('b', is('b'));

  it('sends late, keyless and surplus records to the dead letters', () => {
    const keyed = match({
      key: (word: Word) => word.slice(1),
      pattern: ab,
      within: millis(10),
      select: wordsOf,
      runsMax: 10,
      pendingMax: 2,
    });
    const at = (eventTimeMs: number, value: Word) => ({ value, eventTimeMs });
    const log = [at(100, 'a1'), at(90, 'b1'), at(95, 'a1'), at(100, 'a'), at(101, 'b1'), at(102, 'b1'), at(103, 'b1')];
    const { deadLetters, emitted } = driveOperator(keyed, log, { disorderMs: 5 });
    expect(deadLetters.map(({ reason, origin }) => [reason, origin.offset])).toEqual([
      ['late', 1],
      ['empty-key', 3],
      ['match-full', 5],
      ['match-full', 6],
    ]);
    expect(emitted).toEqual([]);
  });

  it('keeps half of the room from records of absurd times, to which the watermark never comes', () => {
    const absurd = days(5_000);
    const small = match({ key: () => 1, pattern: ab, within: millis(10), select: wordsOf, runsMax: 10, pendingMax: 4 });
    const log = [absurd, absurd, absurd, 100, 101, 102].map(
      (eventTimeMs): DrivenInput => ({ value: 'a', eventTimeMs }),
    );
    const { deadLetters } = driveOperator(small, log, { disorderMs: absurd });
    expect(deadLetters.map(({ detail, origin }) => [detail, origin.offset])).toEqual([
      ['2 records wait already, and its time is far ahead', 2],
      ['4 records wait already', 5],
    ]);
  });

  it('tells of events that began a match and were none, and answers for those under way', () => {
    const { emitted, counters } = driveOperator(
      operatorOf(ab, {
        within: millis(3),
        timedOut: (begun, { startMs, endMs }) => `${wordsOf(begun)}? ${startMs} ${endMs}`,
      }),
      samplesOf('a1 x a2 x b'),
      { final: true },
    );
    expect(emitted.map(({ value, origin }) => [value, origin.eventTimeMs])).toEqual([
      ['a1? 100 100', 103],
      ['a2 b', 104],
    ]);
    expect(counters.timed_out).toBe(1);
    const step = new DrivenStep(operatorOf(a.oneOrMore().followedBy('b', is('b'))));
    for (const sample of samplesOf('a1 a2')) step.push(sample);
    expect(step.query('k')).toEqual([
      { key: 'k', startMs: 100, endMs: 101, matched: { a: ['a1', 'a2'], b: undefined } },
      { key: 'k', startMs: 100, endMs: 100, matched: { a: ['a1'], b: undefined } },
      { key: 'k', startMs: 101, endMs: 101, matched: { a: ['a2'], b: undefined } },
    ]);
    expect(step.query('other')).toBeUndefined();
  });

  it('keeps nothing beyond its time', () => {
    const words = Array.from({ length: 40 }, (_, n) => (n % 3 === 0 ? 'a' : 'x')).join(' ');
    checkOperator(operatorOf(ab, { within: millis(5) }), samplesOf(words), { stateBytesMax: 1_500 });
  });

  it('says in words what it looks for', () => {
    const pattern = startsWith('small', is('a'))
      .times(2, 3)
      .consecutive()
      .notFollowedBy('login', is('x'))
      .next('large', is('b'))
      .optional()
      .greedy()
      .followedByAny('end', is('c'));
    expect(operatorOf(pattern, { skip: { toLast: 'large' } }).settings).toMatchObject({
      pattern: 'small{2,3} consecutive, not followed by login, next large? greedy, followed by any end',
      within: '1s',
      skip: 'to last large',
    });
  });

  it('names what is wrong with it', () => {
    const wrong = startsWith('a', is('a')).times(3, 2).greedy().allowCombinations().optional() as Pattern<
      Word,
      unknown
    >;
    const problems = operatorOf(wrong.notNext('a', is('b')), {
      within: millis(0),
      skip: { toFirst: 'z' },
      runsMax: 0,
      runsPerKeyMax: 0,
      pendingMax: 0,
    }).problems;
    expect(problems?.map(({ message }) => message)).toEqual([
      'two parts of the pattern are called a',
      'a is to come 3 to 2 times',
      'a is greedy and allows combinations',
      'every stage may be left out',
      'the pattern has no stage z to skip to',
      'within is 0 ms',
      'runsMax is 0',
      'runsPerKeyMax is 0',
      'pendingMax is 0',
    ]);
  });

  it('has up to 24 stages, and no names that objects do not keep in order', () => {
    const named = (names: readonly string[]) =>
      operatorOf(
        names.reduce<Pattern<Word, unknown>>(
          (pattern, name) => pattern.followedBy(name, is('a')) as Pattern<Word, unknown>,
          startsWith('first', is('a')) as Pattern<Word, unknown>,
        ),
      ).problems?.map(({ message }) => message);
    const stages = Array.from({ length: 24 }, (_, n) => `s${n}`);
    expect(named(stages.slice(1))).toEqual([]);
    expect(named(stages)).toEqual(['25 stages']);
    expect(named(['0', '10', '__proto__', '', '01', '1a'])).toEqual(
      ['0', '10', '__proto__', ''].map((name) => `a part of the pattern cannot be called "${name}"`),
    );
  });
});

describe('state of another pattern', () => {
  const a = startsWith('a', is('a'));
  const open = (after: ReturnType<typeof operatorOf>) =>
    openAfter(operatorOf(a.followedBy('b', is('b')).followedBy('c', is('c'))), samplesOf('a b'), after);

  it('is refused, since runs know stages by their numbers and end with their time', () => {
    expect(() => open(operatorOf(a.followedBy('b', is('xb')).followedBy('c', is('c'))))).not.toThrow();
    expect(() => open(operatorOf(a.followedBy('c', is('c'))))).toThrow(/other settings/);
    const sooner = operatorOf(a.followedBy('b', is('b')).followedBy('c', is('c')), { within: millis(10) });
    expect(() => open(sooner)).toThrow(/other settings/);
  });
});
