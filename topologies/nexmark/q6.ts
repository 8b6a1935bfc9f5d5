import { json, topology } from 'millrace';
import { kafka } from 'millrace/connectors/kafka';
import { type ClosedAuction, closedAuctions } from './closed-auctions.js';
import { meanOfLast } from './mean-of-last.js';
import { auctions, bids, deadLetters } from './sources.js';

/** Average selling price by seller: over the last ten auctions that closed, corrected as they close. */
export const q6 = topology('nexmark-q6', { deadLetters }, (t) => {
  const offers = t.source('bids', bids());
  t.source('auctions', auctions())
    .via('closed', { bids: offers }, closedAuctions())
    .repartition('by-seller', { key: ({ seller }) => String(seller), schema: json<ClosedAuction>() })
    .via('average', meanOfLast(10))
    .to('out', kafka.sink({ topic: 'nexmark.q6', schema: json(), key: ({ seller }) => String(seller) }));
});
