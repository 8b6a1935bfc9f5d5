import { filter, joinTable, json, map, topology } from 'millrace';
import { kafka } from 'millrace/connectors/kafka';
import type { Auction } from '../../schemas/nexmark/auction.js';
import { AuctionV1 } from '../../schemas/nexmark/auction.js';
import { auctions, deadLetters, persons } from './sources.js';

const LOCAL = ['OR', 'ID', 'CA'];

/** Local items: who sells things of category 10 in Oregon, Idaho or California. */
export const q3 = topology('nexmark-q3', { deadLetters }, (t) => {
  // A person registers once, so that no table has to remember what a row was before.
  const sellers = t.source('persons', persons()).via(
    'sellers',
    map(({ id, name, city, state }) => ({ key: String(id), before: null, after: { name, city, state } })),
  );
  t.source('auctions', auctions())
    .via(
      'category',
      filter(({ category }) => category === 10),
    )
    .repartition('by-seller', { key: ({ seller }) => String(seller), schema: AuctionV1 })
    .via(
      'with-seller',
      { table: sellers },
      joinTable({
        key: ({ seller }: Auction) => String(seller),
        combine: ({ id }, { name, city, state }) => ({ name, city, state, id }),
        keysMax: 10_000_000,
        pendingMax: 1_000_000,
      }),
    )
    .via(
      'local',
      filter(({ state }) => LOCAL.includes(state)),
    )
    .to('out', kafka.sink({ topic: 'nexmark.q3', schema: json() }));
});
