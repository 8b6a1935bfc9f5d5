import { days, json, topology, window } from 'millrace';
import { kafka } from 'millrace/connectors/kafka';
import { mean, onUpdate, tumbling } from 'millrace/window';
import { type ClosedAuction, closedAuctions } from './closed-auctions.js';
import { auctions, bids, deadLetters } from './sources.js';

/** The century from 1970 on. */
const FOREVER = tumbling(days(36_500));

/** Average price of a category: the mean of the closing prices of its auctions, corrected as they close. */
export const q4 = topology('nexmark-q4', { deadLetters }, (t) => {
  const offers = t.source('bids', bids());
  t.source('auctions', auctions())
    .via('closed', { bids: offers }, closedAuctions())
    .repartition('by-category', { key: ({ category }) => String(category), schema: json<ClosedAuction>() })
    .via(
      'average',
      window({
        key: ({ category }) => category,
        window: FOREVER,
        aggregate: { price: mean(({ price }) => price) },
        emit: onUpdate(),
        keysMax: 1_000,
      }),
    )
    .to('out', kafka.sink({ topic: 'nexmark.q4', schema: json(), key: ({ key }) => key }));
});
