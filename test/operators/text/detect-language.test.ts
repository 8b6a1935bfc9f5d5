import { describe, expect, it } from 'vitest';
import type { BatchedShape, Services, StepContext } from '../../../src/core/index.js';
import { type DetectLanguageOptions, detectLanguage } from '../../../src/operators/text/detect-language.js';

interface Review {
  readonly body: string | null;
}
type Options = Partial<DetectLanguageOptions<Review, 'language'>>;
const operator = (options: Options = {}) =>
  detectLanguage<Review, 'language'>({ from: (review) => review.body, as: 'language', ...options });

async function guesses(bodies: readonly (string | null)[], options: Options = {}) {
  let undetected = 0;
  const context = { counter: () => ({ add: () => undetected++ }) } as unknown as StepContext;
  const logic = await (operator(options).shape as BatchedShape).open(context, {} as Services);
  const rows = bodies.map((body) => Object.freeze({ body }));
  const answers = (await logic.onBatch(rows, [])) as (Review & { language: string | null })[];
  expect(answers.map(({ body }) => body)).toEqual(bodies);
  return { languages: answers.map(({ language }) => language), undetected };
}

const sentences = {
  en: 'The flight was delayed again and nobody told us why.',
  de: 'Der Flug hatte schon wieder Verspätung und niemand hat uns gesagt, warum.',
  fr: 'Le vol était encore en retard et personne ne nous a dit pourquoi.',
  es: 'El vuelo se retrasó otra vez y nadie nos dijo por qué.',
  it: 'Il volo era di nuovo in ritardo e nessuno ci ha detto perché.',
  pt: 'O voo atrasou de novo e ninguém nos disse o motivo.',
  nl: 'De vlucht had weer vertraging en niemand vertelde ons waarom.',
  pl: 'Lot znowu był opóźniony i nikt nam nie powiedział dlaczego.',
  sv: 'Flyget var försenat igen och ingen berättade varför.',
  tr: 'Uçuş yine gecikti ve kimse bize nedenini söylemedi.',
  ru: 'Рейс снова задержали, и никто не сказал почему.',
  ja: '便がまた遅れて、誰も理由を教えてくれませんでした。',
  zh: '航班又延误了，没有人告诉我们原因。',
  ar: 'تأخرت الرحلة مرة أخرى ولم يخبرنا أحد بالسبب.',
};

describe('detectLanguage', () => {
  it('tells the language of a sentence, the same in every batch', async () => {
    const bodies = Object.values(sentences);
    expect((await guesses(bodies)).languages).toEqual(Object.keys(sentences));
    expect((await guesses([...bodies].reverse())).languages).toEqual(Object.keys(sentences).reverse());
  });

  it('says so where there is nothing to go by', async () => {
    expect(await guesses([null, '', '12:30 -- 42', '👍'])).toEqual({
      languages: [null, null, null, null],
      undetected: 4,
    });
  });

  it('chooses among the languages that it may be', async () => {
    const { languages } = await guesses([sentences.sv, sentences.de, '???'], { languages: ['no', 'de'] });
    expect(languages).toEqual(['no', 'de', null]);
  });

  it('looks at so many characters', async () => {
    const { languages } = await guesses([sentences.en + sentences.ru.repeat(20)], { charsMax: sentences.en.length });
    expect(languages).toEqual(['en']);
  });

  it('says what is wrong with its options, and how it is set', () => {
    expect(operator({ languages: ['en', 'de'] }).settings).toEqual({
      as: 'language',
      languages: 'en, de',
      charsMax: 1_000,
    });
    expect(operator().problems).toEqual([]);
    expect(operator({ languages: ['english'], charsMax: 0 }).problems).toHaveLength(2);
  });
});
