import { maskPii, topology } from 'millrace';
import { deadLetters, out, topic } from './io.js';

interface Note {
  readonly at: number;
  readonly note: string;
}

/** In earnest it comes from the environment: `process.env.PII_KEY`. */
const key = 'an example has no secrets';

/** Personal data in texts: tokens that still join, stars, the kind alone. */
export const example = topology('mask-pii', { deadLetters }, (t) => {
  t.source('notes', topic<Note>('notes'))
    .via(
      'mask',
      maskPii({ fields: ['note'], find: { email: 'token', card: 'partial', phone: 'replace' }, key, mark: 'found' }),
    )
    .to('out', out());
});

export const records = {
  notes: [
    { at: 0, note: 'Write to ann@example.com or call +44 20 7946 0958' },
    { at: 1, note: 'Ann@Example.com paid with 4111 1111 1111 1111' },
    { at: 2, note: 'Order 4111 1111 1111 1112 is late' },
  ],
};

/* out
out  {"at": 0, "note": "Write to [email:OLHktLARbJbjTcbdGHrHfX] or call [phone]", "found": {"email": 1, "phone": 1}}
out  {"at": 1, "note": "[email:OLHktLARbJbjTcbdGHrHfX] paid with **** **** **** 1111", "found": {"email": 1, "card": 1}}
out  {"at": 2, "note": "Order 4111 1111 1111 1112 is late", "found": {}}
*/
