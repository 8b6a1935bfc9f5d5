import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type SplitWordsOptions, splitWords, wordsOf } from '../../../src/operators/text/split-words.js';
import { checkOperator, driveOperator } from '../../../src/testing/operator-contract.js';

interface Review {
  readonly body: string | null;
}
type Options = Partial<SplitWordsOptions<Review, 'words'>>;
const operator = (options: Options = {}) =>
  splitWords<Review, 'words'>({ from: (review) => review.body, as: 'words', wordsMax: 100, ...options });
const words = (body: string | null, options: Options = {}) => {
  const { emitted, failure } = driveOperator(operator(options), [{ value: { body } }]);
  expect(failure).toBe(undefined);
  return emitted.flatMap(({ value }) => (value as { words: readonly string[] }).words);
};

describe('tokenize', () => {
  it('keeps the operator contract', () =>
    checkOperator(operator({ ngrams: [1, 2], wordsMax: 2 }), [
      { value: { body: 'one two three' } },
      { value: { body: null } },
      { value: { body: '...' } },
    ]));

  it('divides as Unicode does', () => {
    // The sentence of UAX #29, figure 1.
    expect(words('The quick ("brown") fox can’t jump 32.3 feet, right?')).toEqual([
      'The',
      'quick',
      'brown',
      'fox',
      'can’t',
      'jump',
      '32.3',
      'feet',
      'right',
    ]);
    expect(words('größer als ﬁ')).toEqual(['größer', 'als', 'ﬁ']);
    expect(words('')).toEqual([]);
    expect(words(null)).toEqual([]);
    expect(words('!? -- 👍')).toEqual([]);
  });

  it('finds words where there are no spaces', () => {
    expect(words('我们喜欢音乐', { locale: 'zh' })).toEqual(['我们', '喜欢', '音乐']);
    expect(words('ขอบคุณครับ', { locale: 'th' }).length).toBeGreaterThan(1);
  });

  it('divides a long text as a whole, whatever stands where it is cut', () => {
    const segmenter = new Intl.Segmenter('en', { granularity: 'word' });
    const whole = (text: string) => [...segmenter.segment(text)].flatMap((s) => (s.isWordLike ? [s.segment] : []));
    const piece = fc.constantFrom(
      ...[
        'a',
        'Word',
        '1',
        '32',
        '.',
        ',',
        "'",
        '’',
        '"',
        ':',
        '-',
        '_',
        ' ',
        '  ',
        '\n',
        '\r\n',
        '\u0301',
        '\u200d',
        '\u00ad',
      ],
      ...[
        '👍',
        '👩\u200d🚀',
        '🇩',
        'א',
        'שלום',
        '한',
        'é',
        '\ud800',
        '…',
        'x'.repeat(300),
        '.'.repeat(250),
        "a'".repeat(140),
      ],
    );
    fc.assert(
      fc.property(fc.array(piece, { minLength: 30, maxLength: 120, size: 'max' }), (pieces) => {
        const text = pieces.join('');
        expect([...wordsOf(text, segmenter)]).toEqual(whole(text));
      }),
      { numRuns: 60 },
    );
    expect([...wordsOf('我们喜欢音乐。'.repeat(500), segmenter)]).toEqual(whole('我们喜欢音乐。'.repeat(500)));
  });

  it.each([
    ...['.', ',', '-', ' ', '\n', '…', '👍', '🇩🇪', '\u0301', ' \u0301', '\u200d', '²', '_', '_.', '_\u0301.'],
    ...['a', 'a. ', 'a!!!', "a'", "a'b.", 'é è ', '漢', 'ก', '我们喜欢音乐', `a${'.'.repeat(254)}`],
  ])('takes a text of a megabyte in one turn, where it is %j again and again', (piece) => {
    const text = piece.repeat(2 ** 20 / Buffer.byteLength(piece));
    const before = process.cpuUsage();
    words(text, { wordsMax: 1_000 });
    const { user, system } = process.cpuUsage(before);
    expect((user + system) / 1_000).toBeLessThan(400); // 60 at most; it was 600 to 1,900 where there are no words
  });

  it('makes runs of words, in order of the sizes asked for', () => {
    expect(words('a b c', { ngrams: [2, 1, 3, 4] })).toEqual(['a b', 'b c', 'a', 'b', 'c', 'a b c']);
  });

  it('reads so many words and counts longer texts', () => {
    const { emitted, counters } = driveOperator(operator({ wordsMax: 2, ngrams: [2] }), [
      { value: { body: 'a b c' } },
      { value: { body: 'a b .' } },
    ]);
    expect(emitted.map(({ value }) => (value as { words: string[] }).words)).toEqual([['a b'], ['a b']]);
    expect(counters).toEqual({ cut: 1 });
  });

  it('says what is wrong with its options, and how it is set', () => {
    expect(operator({ ngrams: [1, 2] }).settings).toEqual({ as: 'words', locale: 'en', ngrams: '1, 2', wordsMax: 100 });
    expect(operator().problems).toEqual([]);
    for (const options of [{ locale: 'english!' }, { locale: 'xx' }, { ngrams: [] }, { ngrams: [0] }, { wordsMax: 0 }])
      expect(operator(options).problems).toHaveLength(1);
  });
});
