import { type Adds, type Free, type Operator, type Problem, transform } from '../../core/index.js';
import { fieldAdder } from '../../util/literals.js';
import { optionProblems, requireOptions } from '../options.js';

/** Which text is split, by the rules of which language, and into what. */
export interface SplitWordsOptions<T, As extends string> {
  /** The text. */
  readonly from: (value: T) => string | null | undefined;
  /** Name of the field that is added. */
  readonly as: As;
  /** The language whose rules separate words, as a BCP 47 tag (default: 'en'). */
  readonly locale?: string;
  /** How many words in a row make a token: `[1]` by default, `[1, 2]` for words and pairs. */
  readonly ngrams?: readonly number[];
  /** Maximum number of words of a text. */
  readonly wordsMax: number;
}

/**
 * Splits a text into words and adds them as a field, optionally with n-grams of words, in order.
 *
 *   "Don't panic, 42!"  ->  ["Don't", "panic", "42"]
 *   "Don't panic, 42!"  ->  ["Don't", "panic", "42", "Don't panic", "panic 42"]     ngrams [1, 2]
 *
 * Words are those of Unicode (UAX #29) and of the locale, by `Intl.Segmenter`, also in Chinese, Japanese and Thai, which have no spaces. The
 * boundaries of such words are data of Node's ICU and may differ between versions of Node; with the same version a replay gives the same.
 * Words are not changed: see `cleanText` for lower case. A missing text has no words. A text of a million characters without words takes
 * some 20 ms; otherwise the time is that of its first `wordsMax` words.
 *
 * Counter: `cut` (texts with more than `wordsMax` words). Memory: none.
 *
 * @example
 * reviews.via('words', splitWords({ from: (r) => r.body, as: 'words', locale: 'en', ngrams: [1, 2], wordsMax: 1_000 }));
 */
export function splitWords<T, const As extends string>(
  options: SplitWordsOptions<T, As>,
): Operator<T & Free<As>, Adds<{ readonly [K in As]: readonly string[] }>> {
  requireOptions('splitWords', options);
  const { from, as, locale = 'en', ngrams = [1], wordsMax } = options;
  return transform<T, Adds<{ readonly [K in As]: readonly string[] }>>({
    kind: 'splitWords',
    settings: { as, locale, ngrams: ngrams.join(', '), wordsMax },
    problems: [...optionProblems('splitWords', options), ...problemsOf(locale, ngrams, wordsMax)],
    open(context) {
      const cut = context.counter('cut');
      const segmenter = new Intl.Segmenter(locale, { granularity: 'word' });
      const withTokens = fieldAdder(as);
      return (value, emit) => {
        const words: string[] = [];
        for (const word of wordsOf(from(value) ?? '', segmenter)) {
          if (words.length >= wordsMax) {
            cut.add();
            break;
          }
          words.push(word);
        }
        emit(
          withTokens(
            value,
            ngrams.flatMap((n) => runsOf(words, n)),
          ),
        );
      };
    },
  }) as Operator<T & Free<As>, Adds<{ readonly [K in As]: readonly string[] }>>;
}

function runsOf(words: readonly string[], n: number): readonly string[] {
  if (n === 1) return words;
  const runs: string[] = [];
  for (let i = 0; i + n <= words.length; i++) runs.push(words.slice(i, i + n).join(' '));
  return runs;
}

function problemsOf(locale: string, ngrams: readonly number[], wordsMax: number): Problem[] {
  const problems: Problem[] = [];
  if (!isKnown(locale))
    problems.push({ message: `there is no locale '${locale}'`, hint: "give a BCP 47 tag, such as 'en' or 'pt-BR'" });
  if (ngrams.length === 0 || !ngrams.every((n) => Number.isInteger(n) && n >= 1))
    problems.push({ message: `ngrams is [${ngrams.join(', ')}]`, hint: 'give whole numbers from 1, such as [1, 2]' });
  if (!(wordsMax >= 1))
    problems.push({ message: `wordsMax is ${wordsMax}`, hint: 'give the maximum number of words to read of a text' });
  return problems;
}

function isKnown(locale: string): boolean {
  try {
    return Intl.Segmenter.supportedLocalesOf(locale).length > 0;
  } catch {
    return false; // not even a tag
  }
}

/** Characters read at once: the time that `Intl.Segmenter` takes for a text grows with the square of its segments. */
const WINDOW = 256;
/** Segments in a row that are no words, after which the next word is looked for by other means. */
const OTHERS_MAX = 8;

/** With what a word begins: a mark before it is no part of it, and one `_` alone is no word. */
const BEGINNING = /(?!\p{M})[\p{Alphabetic}\p{Nd}]|\p{Pc}(?=[\p{M}\p{Cf}]*[\p{Alphabetic}\p{Nd}\p{Pc}])/gu;
/** A word that any locale divides so, since white space follows. */
const PLAIN = /[A-Za-z0-9]+(?=[!-/:-@[-^`{-~]*(?:[ \t\n\r]|$))/y;

/**
 * The words of a text, in order and in linear time, as `segmenter` divides the whole of it.
 *
 * What is no word is passed over without it, and plain words are told at sight. The rest is read through a window. What may
 * depend on characters beyond the window, its last two segments, is read again with the next one: no rule of UAX #29 looks
 * further ahead than one segment. Runs of a script without spaces (Chinese, Japanese, Thai) are divided by a dictionary,
 * window by window.
 */
export function* wordsOf(text: string, segmenter: Intl.Segmenter): Generator<string> {
  let length = WINDOW;
  for (let start = beginning(text, 0); start < text.length; ) {
    PLAIN.lastIndex = start;
    const plain = PLAIN.exec(text)?.[0];
    if (plain !== undefined) {
      yield plain;
      start = beginning(text, start + plain.length);
      continue;
    }
    const window = text.slice(start, start + length);
    const isLast = start + length >= text.length;
    const uncertain: Intl.SegmentData[] = [];
    let end = 0;
    let others = 0;
    for (const segment of segmenter.segment(window)) {
      uncertain.push(segment);
      if (uncertain.length <= 2) continue;
      const certain = uncertain.shift() as Intl.SegmentData;
      end = certain.index + certain.segment.length;
      others = certain.isWordLike ? 0 : others + 1;
      if (certain.isWordLike) yield certain.segment;
      else if (others === OTHERS_MAX) break;
    }
    if (isLast && others < OTHERS_MAX) {
      for (const { segment, isWordLike } of uncertain) if (isWordLike) yield segment;
      return;
    }
    if (end === 0) {
      length *= 2; // one segment is longer than the window
      continue;
    }
    start = beginning(text, start + end);
    length = WINDOW;
  }
}

/** Where the next word begins, from the end of a segment on; the end of the text where there is none. */
function beginning(text: string, from: number): number {
  BEGINNING.lastIndex = from;
  return BEGINNING.exec(text)?.index ?? text.length;
}
