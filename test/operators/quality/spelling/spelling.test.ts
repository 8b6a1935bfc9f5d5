import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { editDistance } from '../../../../src/operators/quality/spelling/edit-distance.js';
import { Spelling } from '../../../../src/operators/quality/spelling/spelling.js';

describe('Spelling', () => {
  it('finds the word that is meant, and none where two are as near, or none is near enough', () => {
    const spelling = new Spelling(['Boston', 'Chicago', 'Houston', 'Austin'], 2, 4);
    expect(spelling.meant('Bostno')).toBe('Boston');
    expect(spelling.meant('Chcago')).toBe('Chicago');
    expect(spelling.meant('Boston')).toBeUndefined(); // it is right
    expect(spelling.meant('Hooston')).toBe('Houston');
    expect(spelling.meant('Houstin')).toBe('Houston'); // Austin is two edits away
    expect(spelling.meant('Denver')).toBeUndefined();
    expect(new Spelling(['mean', 'meal'], 1, 4).meant('meax')).toBeUndefined();
    expect(new Spelling(['cat'], 1, 4).meant('cta')).toBeUndefined(); // too short
    expect(new Spelling(['cat'], 1, 3).meant('cta')).toBe('cat');
    expect(new Spelling(['same', 'same'], 1, 4).meant('smae')).toBe('same'); // a word twice is one word
  });

  it('neither compares nor remembers a text that is longer than any word may be misspelt', () => {
    const spelling = new Spelling(['Boston'], 2, 4);
    expect(spelling.meant('Boston'.repeat(1_000_000))).toBeUndefined();
    expect(spelling).toMatchObject({ remembered: new Map() });
    const twoUnits = new Spelling(['😀😃😄😁'], 2, 4);
    expect(twoUnits.meant('😀😃😄😁😆😅')).toBe('😀😃😄😁');
  });

  it('says what a look at every word says, again and again', () => {
    const word = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(
        fc.array(word, { maxLength: 12 }),
        fc.array(word, { maxLength: 12 }),
        fc.integer({ min: 1, max: 3 }),
        (words, asked, distanceMax) => {
          const spelling = new Spelling(words, distanceMax, 1);
          for (const text of [...asked, ...asked]) {
            const distances = [...new Set(words)].map(
              (each) => [each, editDistance([...text], [...each], 99)] as const,
            );
            const least = Math.min(...distances.map(([, distance]) => distance));
            const nearest = distances.filter(([, distance]) => distance === least);
            const meant = least > 0 && least <= distanceMax && nearest.length === 1 ? nearest[0]?.[0] : undefined;
            expect([text, spelling.meant(text)]).toEqual([text, meant]);
          }
        },
      ),
    );
  });

  it('remembers a thousand answers and no more', () => {
    const spelling = new Spelling(['alphabet'], 2, 4);
    for (let n = 0; n < 5_000; n++) spelling.meant(`alphabe${n}`);
    expect((spelling as unknown as { remembered: Map<string, unknown> }).remembered.size).toBe(1_000);
    expect(spelling.meant('alphabte')).toBe('alphabet');
  });
});
