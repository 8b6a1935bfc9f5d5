import { innerJoin, json, millis, seconds, topology, window } from 'millrace';
import { kafka } from 'millrace/connectors/kafka';
import { count, first, tumbling } from 'millrace/window';
import { AuctionV1 } from '../../schemas/nexmark/auction.js';
import { auctions, deadLetters, persons } from './sources.js';

const tenSeconds = tumbling(seconds(10));
const keysMax = 1_000_000;

/** New users: who registered and put something up for auction within the same ten seconds. */
export const q8 = topology('nexmark-q8', { deadLetters }, (t) => {
  const registered = t
    .source('persons', persons())
    .via(
      'registered',
      window({ key: ({ id }) => id, window: tenSeconds, aggregate: { name: first(({ name }) => name) }, keysMax }),
    );
  const selling = t
    .source('auctions', auctions())
    .repartition('by-seller', { key: ({ seller }) => String(seller), schema: AuctionV1 })
    .via(
      'selling',
      window({ key: ({ seller }) => seller, window: tenSeconds, aggregate: { auctions: count() }, keysMax }),
    );
  registered
    .via(
      'both',
      { right: selling },
      innerJoin({
        keys: { left: ({ key }) => key, right: ({ key }) => key },
        within: { before: millis(0), after: millis(0) }, // rows of one window have one event time
        combine: ({ key, startMs, name }) => ({ id: key, name, startMs }),
        entriesMax: keysMax,
      }),
    )
    .to('out', kafka.sink({ topic: 'nexmark.q8', schema: json() }));
});
