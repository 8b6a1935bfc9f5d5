import { cleanText, topology } from 'millrace';
import { deadLetters, out, topic } from './io.js';

interface Review {
  readonly at: number;
  readonly title: string | null;
  readonly body: string;
}

/** Texts in one form: spaces, Unicode, and the words of a page without its tags. */
export const example = topology('clean-text', { deadLetters }, (t) => {
  t.source('reviews', topic<Review>('reviews'))
    .via('clean', cleanText({ title: { lowerCase: true }, body: { html: true, form: 'NFKC' } }))
    .to('out', out());
});

export const records = {
  reviews: [
    {
      at: 0,
      title: '  GREAT\u00a0 service ',
      body: '<p>Friendly cre<b>w</b> &amp; \ufb01ne food</p><script>x()</script>',
    },
    { at: 1, title: null, body: 'nothing to clean' },
  ],
};

/* out
out  {"at": 0, "title": "great service", "body": "Friendly crew & fine food"}
out  {"at": 1, "title": null, "body": "nothing to clean"}
*/
