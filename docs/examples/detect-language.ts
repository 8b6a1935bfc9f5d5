import { detectLanguage, topology } from 'millrace';
import { deadLetters, out, topic } from './io.js';

interface Review {
  readonly at: number;
  readonly body: string;
}

/** The language of a text, or `null` where it says too little. */
export const example = topology('detect-language', { deadLetters }, (t) => {
  t.source('reviews', topic<Review>('reviews'))
    .via('language', detectLanguage({ from: ({ body }) => body, as: 'language', languages: ['en', 'de', 'fr'] }))
    .to('out', out());
});

export const records = {
  reviews: [
    { at: 0, body: 'The flight was delayed again and nobody told us why.' },
    { at: 1, body: 'Der Flug hatte schon wieder Verspätung.' },
    { at: 2, body: 'Excellent service, merci beaucoup !' },
    { at: 3, body: '5/5' },
  ],
};

/* out
out  {"at": 0, "body": "The flight was delayed again and nobody told us why.", "language": "en"}
out  {"at": 1, "body": "Der Flug hatte schon wieder Verspätung.", "language": "de"}
out  {"at": 2, "body": "Excellent service, merci beaucoup !", "language": "fr"}
out  {"at": 3, "body": "5/5", "language": null}
*/
