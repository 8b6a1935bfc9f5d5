import { merge, topology } from 'millrace';
import { deadLetters, out, topic } from './io.js';

interface Order {
  readonly at: number;
  readonly from: string;
}

/** The orders of two channels as one stream, ordered by event time. */
export const example = topology('merge', { deadLetters }, (t) => {
  const shop = t.source('shop', topic<Order>('shop'));
  t.source('web', topic<Order>('web')).via('orders', { shop }, merge('shop')).to('out', out());
});

export const records = {
  web: [
    { at: 0, from: 'web' },
    { at: 30, from: 'web' },
  ],
  shop: [
    { at: 10, from: 'shop' },
    { at: 20, from: 'shop' },
  ],
};

/* out
out  {"at": 0, "from": "web"}
out  {"at": 10, "from": "shop"}
out  {"at": 20, "from": "shop"}
out  {"at": 30, "from": "web"}
*/
