import { type Adds, type Free, makeOfEach, type Operator, type Problem } from '../../core/index.js';
import { withField } from '../../util/literals.js';
import { optionProblems, requireOptions } from '../options.js';

/** Which text `detectLanguage` reads, under which name it adds the language, and which languages it knows. */
export interface DetectLanguageOptions<T, As extends string> {
  /** The text. */
  readonly from: (value: T) => string | null | undefined;
  /** Name of the field that is added. */
  readonly as: As;
  /** The possible languages, as ISO 639-1 codes (default: any of 60). */
  readonly languages?: readonly string[];
  /** Characters that are examined (default: 1,000). */
  readonly charsMax?: number;
}

const CHARS_MAX = 1_000;

/**
 * Detects the language of a text and adds its ISO 639-1 code, or `null` if the text is too short or unclear.
 *
 * It uses frequencies of n-grams (`eld`), which are loaded when a task is opened: a second and 50 MB, once per process. A text takes some
 * 50 microseconds. The result depends on the text only, so a replay with the same version of the library gives the same. Nearly all
 * sentences of five words are detected correctly, but many texts of two words are not.
 *
 * Counter: `undetected` (texts without a language). Memory: the n-grams, once per process.
 *
 * @example
 * reviews.via('language', detectLanguage({ from: (r) => r.body, as: 'language', languages: ['en', 'de', 'fr', 'es'] }));
 */
export function detectLanguage<T, const As extends string>(
  options: DetectLanguageOptions<T, As>,
): Operator<T & Free<As>, Adds<{ readonly [K in As]: string | null }>> {
  requireOptions('detectLanguage', options);
  const { from, as, languages = [], charsMax = CHARS_MAX } = options;
  return {
    kind: 'detectLanguage',
    settings: { as, languages: languages.join(', '), charsMax },
    problems: [...optionProblems('detectLanguage', options), ...problemsOf(languages, charsMax)],
    shape: {
      shape: 'batched',
      async open(context) {
        const { eld } = await import('eld/small');
        const undetected = context.counter('undetected');
        const allowed = new Set(languages);
        const guess = (text: string): string | null => {
          const result = eld.detect(text);
          if (allowed.size === 0) return result.isReliable() ? result.language : null;
          let best: string | null = null;
          let most = 0;
          for (const [language, score] of Object.entries(result.getScores()))
            if (score > most && allowed.has(language)) [best, most] = [language, score];
          return best;
        };
        return {
          async onBatch(values, origins) {
            return makeOfEach(context.step, values, origins, (value) => {
              const language = guess((from(value as T) ?? '').slice(0, charsMax));
              if (language === null) undetected.add();
              return withField(value, as, language);
            });
          },
        };
      },
    },
  };
}

function problemsOf(languages: readonly string[], charsMax: number): Problem[] {
  const problems: Problem[] = languages
    .filter((language) => !/^[a-z]{2}$/.test(language))
    .map((language) => ({ message: `there is no language '${language}'`, hint: "give ISO 639-1 codes, such as 'en'" }));
  if (!(charsMax >= 1)) problems.push({ message: `charsMax is ${charsMax}`, hint: 'give it a positive number' });
  return problems;
}
