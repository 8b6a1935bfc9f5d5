import { featurize, hours, joinTable, learn, map, table, topology } from 'millrace';
import { featureView, ftrl, hashed, logisticRegression } from 'millrace/ml';
import { compacted, deadLetters, out, topic } from '../io.js';

interface Order {
  readonly at: number;
  readonly id: string;
  readonly product: string;
}
interface Product {
  readonly at: number;
  readonly category: string;
}
interface Return {
  readonly at: number;
  readonly order: string;
  readonly kept: boolean;
}
interface Described {
  readonly id: string;
  readonly category: string;
}

const view = featureView({
  name: 'orders',
  version: 1,
  hashBits: 4,
  columns: { category: (order: Described) => order.category },
  features: { category: hashed('category') },
});

/** The probability that an order is kept, with the category that its product had at that time. */
export const example = topology('learn-with-context', { deadLetters }, (t) => {
  const products = t.source('products', compacted<Product>('products')).via('product', table({ keysMax: 10_000 }));
  const outcomes = t.source('outcomes', topic<Return>('outcomes'));
  t.source('orders', topic<Order>('orders'))
    .via(
      'described',
      { table: products },
      joinTable({
        key: ({ product }) => product,
        combine: ({ id }, { category }): Described => ({ id, category }),
        keysMax: 10_000,
        pendingMax: 10_000,
      }),
    )
    .via('features', featurize(view))
    .via(
      'model',
      { labels: outcomes },
      learn(logisticRegression({ optimizer: ftrl({ alpha: 0.5 }) }), {
        as: 'kept',
        view,
        key: ({ id }) => id,
        label: { key: ({ order }) => order, value: ({ kept }) => kept, wait: hours(24) },
        pendingMax: 10_000,
      }),
    )
    .via(
      'shown',
      map(({ id, category, kept }) => ({ id, category, kept: Math.round(kept.probability * 100) / 100 })),
    )
    .to('out', out());
});

export const records = {
  products: [{ key: 'p1', value: { at: 0, category: 'shoes' } }],
  orders: [10, 20, 1_000, 2_000, 4_000].map((at, i) => ({ at, id: `o${i}`, product: 'p1' })),
  outcomes: [
    { at: 3_000, order: 'o0', kept: false },
    { at: 3_100, order: 'o1', kept: false },
  ],
};

/* out
out  {"id": "o0", "category": "shoes", "kept": 0.5}
out  {"id": "o1", "category": "shoes", "kept": 0.5}
out  {"id": "o2", "category": "shoes", "kept": 0.5}
out  {"id": "o3", "category": "shoes", "kept": 0.5}
out  {"id": "o4", "category": "shoes", "kept": 0.36}
*/
