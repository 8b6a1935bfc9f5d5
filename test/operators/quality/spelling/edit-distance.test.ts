import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { editDistance } from '../../../../src/operators/quality/spelling/edit-distance.js';

/** Every word that one edit makes of this one. */
function* edits(word: string, letters: string): Generator<string> {
  for (let at = 0; at <= word.length; at++) {
    const [before, after] = [word.slice(0, at), word.slice(at)];
    for (const letter of letters) yield before + letter + after;
    if (after === '') continue;
    yield before + after.slice(1);
    for (const letter of letters) yield before + letter + after.slice(1);
    if (after.length > 1) yield before + after[1] + after[0] + after.slice(2);
  }
}

/** The fewest edits that lead from one word to another, by walking through all words on the way. */
function walk(from: string, to: string): number {
  const letters = [...new Set(from + to)].join('');
  let edge = new Set([from]);
  const seen = new Set(edge);
  for (let steps = 0; ; steps++) {
    if (edge.has(to)) return steps;
    const next = new Set<string>();
    for (const word of edge)
      for (const made of edits(word, letters))
        if (!seen.has(made) && made.length <= Math.max(from.length, to.length)) {
          seen.add(made);
          next.add(made);
        }
    edge = next;
  }
}

const distance = (a: string, b: string, max = 100) => editDistance([...a], [...b], max);

describe('editDistance', () => {
  it('is that of published examples', () => {
    expect(distance('kitten', 'sitting')).toBe(3);
    expect(distance('CA', 'ABC')).toBe(2); // where a swapped pair may be edited further; 3 where it may not
    expect(distance('', 'abc')).toBe(3);
    expect(distance('abc', '')).toBe(3);
    expect(distance('', '')).toBe(0);
    expect(distance('bostno', 'boston')).toBe(1);
    expect(distance('Zürich', 'Zuerich')).toBe(2);
    expect(distance('🚕🚗', '🚗🚕')).toBe(1); // of letters, not of code units
  });

  it('is the length of the shortest way from one word to the other, and beyond its limit only more', () => {
    const word = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 5 });
    fc.assert(
      fc.property(word, word, fc.integer({ min: 0, max: 6 }), (a, b, max) => {
        const expected = walk(a, b);
        expect(distance(a, b)).toBe(expected);
        expect(distance(a, b, max)).toBe(Math.min(expected, max + 1));
      }),
      { numRuns: 150 },
    );
  });

  it('is a metric', () => {
    const word = fc.string({ unit: fc.constantFrom('a', 'b', 'c', 'd'), maxLength: 12 });
    fc.assert(
      fc.property(word, word, word, (a, b, c) => {
        expect(distance(a, a)).toBe(0);
        expect(distance(a, b)).toBe(distance(b, a));
        expect(distance(a, c)).toBeLessThanOrEqual(distance(a, b) + distance(b, c));
      }),
    );
  });
});
