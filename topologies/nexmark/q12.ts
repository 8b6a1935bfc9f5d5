import { json, seconds, topology, window } from 'millrace';
import { kafka } from 'millrace/connectors/kafka';
import { count, tumbling } from 'millrace/window';
import { BidV1 } from '../../schemas/nexmark/bid.js';
import { bidsAsTheyArrive, deadLetters } from './sources.js';

/** Bids as they arrive: how many somebody makes every ten seconds, by when they arrived. */
export const q12 = topology('nexmark-q12', { deadLetters }, (t) => {
  t.source('bids', bidsAsTheyArrive())
    .repartition('by-bidder', { key: ({ bidder }) => String(bidder), schema: BidV1 })
    .via(
      'bids-of-bidder',
      window({
        key: ({ bidder }) => bidder,
        window: tumbling(seconds(10)),
        aggregate: { bids: count() },
        keysMax: 1_000_000,
      }),
    )
    .to('out', kafka.sink({ topic: 'nexmark.q12', schema: json() }));
});
