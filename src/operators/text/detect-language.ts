import type { Adds, Free, Operator, Problem } from '../../core/index.js';
import { withField } from '../../util/literals.js';

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
 * Guesses the language of a text, and adds its ISO 639-1 code, or `null` where the text says too little.
 *
 * By frequencies of n-grams (`eld`), which are loaded when a task is opened: a second and 50 MB once a process. A text costs some
 * 50 microseconds. A guess depends on the text alone, hence is the same in every replay with the same version of the library.
 * A short text may be anything: of sentences of five words nearly all are right, of two words many are not.
 *
 * Counter: `nondeterministic`. Memory: the n-grams, once a process.
 *
 * @example
 * reviews.via('language', detectLanguage({ from: (r) => r.body, as: 'language', languages: ['en', 'de', 'fr', 'es'] }));
 */
export function detectLanguage<T, const As extends string>({
  from,
  as,
  languages = [],
  charsMax = CHARS_MAX,
}: DetectLanguageOptions<T, As>): Operator<T & Free<As>, Adds<{ readonly [K in As]: string | null }>> {
  return {
    kind: 'detectLanguage',
    settings: { as, languages: languages.join(', '), charsMax },
    problems: problemsOf(languages, charsMax),
    shape: {
      shape: 'batched',
      async open(context) {
        const { eld } = await import('eld/small');
        const nondeterministic = context.counter('nondeterministic');
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
          async onBatch(values) {
            return values.map((value) => {
              const language = guess((from(value as T) ?? '').slice(0, charsMax));
              if (language === null) nondeterministic.add();
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
