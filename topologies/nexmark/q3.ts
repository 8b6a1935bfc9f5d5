import { filter, joinTable, json, map, table, topology } from 'millrace';
import { kafka } from 'millrace/connectors/kafka';
import type { Auction } from '../../schemas/nexmark/auction.js';
import { AuctionV1 } from '../../schemas/nexmark/auction.js';
import { auctions, deadLetters, persons } from './sources.js';

const LOCAL = ['OR', 'ID', 'CA'];

/** Local items: who sells things of category 10 in Oregon, Idaho or California. */
export const q3 = topology('nexmark-q3', { deadLetters }, (t) => {
  const sellers = t
    .source('persons', persons())
    .via(
      'rows',
      map((person) => ({ key: String(person.id), value: person })),
    )
    .via('sellers', table({ keysMax: 10_000_000 }));
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
