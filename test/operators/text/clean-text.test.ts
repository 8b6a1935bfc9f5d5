import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type CleanTextOptions, clean, cleanText } from '../../../src/operators/text/clean-text.js';
import { checkOperator, driveOperator } from '../../../src/testing/operator-contract.js';

interface Review {
  readonly title: string | null;
  readonly body?: string;
}
const plain = { html: true } as const;
const character = fc.oneof(
  fc.constantFrom(
    ' ',
    '\t',
    '\u00a0',
    '\u0085',
    '\u200b',
    '\ufeff',
    '\0',
    'e',
    '\u0301',
    'é',
    'ﬁ',
    'Ａ',
    'İ',
    'ß',
    'Σ',
    '\ud800',
    '\udc00',
    '👩‍🚀',
    '<',
    '&',
  ),
  fc.string({ unit: 'binary', maxLength: 3 }),
);
const text = fc.array(character, { maxLength: 20 }).map((parts) => parts.join(''));

describe('cleanText', () => {
  it('keeps 30 combining marks of a letter, in linear time', () => {
    const startMs = performance.now();
    const marks = '\u0301\u0327';
    for (const rule of [{}, { form: 'NFKC' }, { lowerCase: true }] as const)
      for (const text of [marks.repeat(49_000), `a${'\u0301'.repeat(49_000)}${'\u0327'.repeat(49_000)}`])
        expect(clean(text, rule).length).toBeLessThanOrEqual(31);
    expect(performance.now() - startMs).toBeLessThan(1_000);
    expect(clean(`e${'\u0323'.repeat(30)} e\u0301`, {})).toBe(`e${'\u0323'.repeat(30)} é`.normalize('NFC'));
  });

  it('keeps the operator contract', () =>
    checkOperator(cleanText<Review>({ title: { lowerCase: true }, body: plain }), [
      { value: { title: ' A  b\u0000 ', body: '<p>x</p>' } },
      { value: { title: null } },
      { value: { title: 'whole', body: '' } },
    ]));

  it.each<[string, string, CleanTextOptions, string]>([
    ['white space', '  two\t\r\n words\u00a0\u2003here\u0085', {}, 'two words here'],
    ['what cannot be seen', 'so\u00adft\u200b \u202eright\u202c\ufeff\u0000\u0007', {}, 'soft right'],
    ['joiners stay', '👩\u200d🚀 می\u200cخواهم', {}, '👩\u200d🚀 می\u200cخواهم'],
    ['NFC', 'cafe\u0301', {}, 'café'],
    ['NFKC', 'ﬁrst Ａ１ ①', { form: 'NFKC' }, 'first A1 1'],
    ['NFC leaves them', 'ﬁrst Ａ', {}, 'ﬁrst Ａ'],
    ['lower case', 'STRASSE İ ÉCOLE', { lowerCase: true }, 'strasse i̇ école'],
    ['half a surrogate', 'a\ud83dz', {}, 'a\ufffdz'],
    ['too long', 'abcdef', { charsMax: 3 }, 'abc'],
    ['cut through a pair', 'ab👩', { charsMax: 3 }, 'ab\ufffd'],
    ['tags', '<p>One</p><p>two <b>b</b>old<br/>three</p>', plain, 'One two bold three'],
    [
      'scripts, styles, comments',
      'a<script>if (1 < 2) x()</script>b<style>p {}</style><!-- c > d -->e',
      plain,
      'a b e',
    ],
    ['attributes', '<a href="x" title=\'y\'>link</a> <IMG SRC=x>', plain, 'link'],
    [
      'entities',
      '&lt;b&gt; &amp;amp; &#233;&#xe9; &nbsp;&euro; &unknown; &#0; &#x110000;',
      plain,
      '<b> &amp; éé € &unknown; \ufffd \ufffd',
    ],
    ['what is no tag', '1 < 2 and 3 > 2, a <3 b', plain, '1 < 2 and 3 > 2, a <3 b'],
    ['a tag without an end', 'text <a href="', plain, 'text'],
    ['a comment without an end', 'text <!-- never', plain, 'text'],
  ])('%s', (_, dirty, options, expected) => expect(clean(dirty, options)).toBe(expected));

  it('cleans once what it cleans twice, in one form, without controls or runs of space', () => {
    fc.assert(
      fc.property(text, fc.constantFrom('NFC' as const, 'NFKC' as const), fc.boolean(), (dirty, form, lowerCase) => {
        const once = clean(dirty, { form, lowerCase });
        expect(clean(once, { form, lowerCase })).toBe(once);
        expect(once.normalize(form)).toBe(once);
        expect(once).not.toMatch(/[\p{Cc}\p{Surrogate}]|\s\s|^\s|\s$/u);
      }),
      { numRuns: 300 },
    );
  });

  it('takes as long as a text is long, whatever is in it', () => {
    // What makes a bad pattern try every way to fail: seconds, where it is linear a few milliseconds.
    for (const part of ['<', '<!--', '<script>', '<a ', '&#', '</script', ' ', '<script'])
      expect(clean(part.repeat(100_000 / part.length), { html: true }).length).toBeLessThanOrEqual(100_000);
  });

  it('copies what it changes, passes the rest, and counts', () => {
    const whole = { value: { title: 'fine' } };
    const dirty = { value: { title: ' a ', body: 'abcdef' } };
    const step = cleanText<Review>({ title: {}, body: { charsMax: 3 } });
    const { emitted, counters } = driveOperator(step, [whole, dirty, { value: { title: null } }]);
    expect(emitted[0]?.value).toBe(whole.value);
    expect(emitted[1]?.value).toEqual({ title: 'a', body: 'abc' });
    expect([dirty.value.title, counters]).toEqual([' a ', { cleaned: 2, cut: 1 }]);
  });

  it('is described by its rules, and says what is wrong with them', () => {
    expect(
      cleanText<Review>({ title: {}, body: { html: true, form: 'NFKC', lowerCase: true, charsMax: 9 } }).settings,
    ).toEqual({
      title: 'NFC, up to 100000',
      body: 'from HTML, NFKC, lower case, up to 9',
    });
    expect(cleanText<Review>({ title: {} }).problems).toEqual([]);
    expect(cleanText<Review>({}).problems).toHaveLength(1);
    expect(cleanText<Review>({ title: { charsMax: 0 } }).problems).toHaveLength(1);
  });
});
