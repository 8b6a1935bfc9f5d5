import { map, merge, topology } from 'millrace';
import { deadLetters, out, topic } from '../io.js';

interface WebOrder {
  readonly at: number;
  readonly total: number;
}
interface ShopSale {
  readonly at: number;
  readonly cents: number;
}

/** Two topics of different types as one stream of one type, ordered by event time. */
export const example = topology('two-channels', { deadLetters }, (t) => {
  const shop = t.source('shop', topic<ShopSale>('shop')).via(
    'sale',
    map(({ at, cents }) => ({ at, from: 'shop', total: cents / 100 })),
  );
  t.source('web', topic<WebOrder>('web'))
    .via(
      'order',
      map(({ at, total }) => ({ at, from: 'web', total })),
    )
    .via('all', { shop }, merge('shop'))
    .to('out', out());
});

export const records = {
  web: [
    { at: 0, total: 12 },
    { at: 30, total: 8 },
  ],
  shop: [{ at: 10, cents: 500 }],
};

/* out
out  {"at": 0, "from": "web", "total": 12}
out  {"at": 10, "from": "shop", "total": 5}
out  {"at": 30, "from": "web", "total": 8}
*/
