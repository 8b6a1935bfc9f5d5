import { json, seconds, topology, window } from 'millrace';
import { kafka } from 'millrace/connectors/kafka';
import { count, session } from 'millrace/window';
import { BidV1 } from '../../schemas/nexmark/bid.js';
import { bids, deadLetters } from './sources.js';

/** Sessions: how many bids somebody makes without a pause of ten seconds. */
export const q11 = topology('nexmark-q11', { deadLetters }, (t) => {
  t.source('bids', bids())
    .repartition('by-bidder', { key: ({ bidder }) => String(bidder), schema: BidV1 })
    .via(
      'session',
      window({
        key: ({ bidder }) => bidder,
        window: session({ gap: seconds(10) }),
        aggregate: { bids: count() },
        keysMax: 1_000_000,
      }),
    )
    .to('out', kafka.sink({ topic: 'nexmark.q11', schema: json() }));
});
