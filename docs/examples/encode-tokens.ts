import { encodeTokens, map, topology } from 'millrace';
import { deadLetters, out, topic } from './io.js';

interface Review {
  readonly at: number;
  readonly body: string;
}

/** Makes texts the numbers that a language model takes, by the model's own tokenizer. */
export const example = topology('encode-tokens', { deadLetters }, (t) => {
  t.source('reviews', topic<Review>('reviews'))
    .via(
      'tokens',
      encodeTokens({
        from: ({ body }) => body,
        as: 'tokens',
        tokenizer: new URL('../../test/operators/text/tokenizers/word-piece.json', import.meta.url),
        lengths: [6, 12],
      }),
    )
    .via(
      'shown',
      map(({ tokens: { inputIds, attentionMask } }) => ({
        ids: Array.from(inputIds.data, Number),
        mask: Array.from(attentionMask.data, Number),
      })),
    )
    .to('out', out());
});

export const records = {
  reviews: [
    { at: 0, body: 'Late again' },
    { at: 1, body: 'The flight to Chicago is late.' },
  ],
};

/* out
out  {"ids": [2, 93, 129, 3, 0, 0], "mask": [1, 1, 1, 1, 0, 0]}
out  {"ids": [2, 99, 100, 95, 128, 101, 93, 7, 3, 0, 0, 0], "mask": [1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0]}
*/
