import { splitWords, topology } from 'millrace';
import { deadLetters, out, topic } from './io.js';

interface Review {
  readonly at: number;
  readonly body: string;
}

/** The words of a text, and the pairs of them. */
export const example = topology('split-words', { deadLetters }, (t) => {
  t.source('reviews', topic<Review>('reviews'))
    .via('words', splitWords({ from: ({ body }) => body, as: 'words', ngrams: [1, 2], wordsMax: 1_000 }))
    .to('out', out());
});

export const records = {
  reviews: [
    { at: 0, body: "Don't wait, 32.5 hours!" },
    { at: 1, body: '...' },
  ],
};

/* out
out  {"at": 0, "body": "Don't wait, 32.5 hours!", "words": ["Don't", "wait", "32.5", "hours", "Don't wait", "wait 32.5", "32.5 hours"]}
out  {"at": 1, "body": "...", "words": []}
*/
