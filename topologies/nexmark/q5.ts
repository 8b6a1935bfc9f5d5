import { json, seconds, topology, window } from 'millrace';
import { kafka } from 'millrace/connectors/kafka';
import { count, hopping, tumbling } from 'millrace/window';
import { mostOf } from './most-of.js';
import { bids, deadLetters } from './sources.js';

/** Bids of an auction in a window of ten seconds. */
interface BidsOfAuction {
  readonly key: number;
  readonly startMs: number;
  readonly endMs: number;
  readonly bids: number;
}

/** Hot items: which auctions have had most bids in the last ten seconds, every two seconds. */
export const q5 = topology('nexmark-q5', { deadLetters }, (t) => {
  t.source('bids', bids())
    .via(
      'bids-of-auction',
      window({
        key: ({ auction }) => auction,
        window: hopping({ size: seconds(10), every: seconds(2) }),
        aggregate: { bids: count() },
        keysMax: 10_000_000,
      }),
    )
    .repartition('of-all-tasks', { key: () => 'all', schema: json<BidsOfAuction>() })
    .via(
      'hottest',
      window({
        key: () => 'all',
        // Windows that end together have rows of one event time.
        window: tumbling(seconds(2)),
        aggregate: { hottest: mostOf('bids', ({ bids: of }: BidsOfAuction) => of) },
        keysMax: 1,
      }),
    )
    .to('out', kafka.sink({ topic: 'nexmark.q5', schema: json() }));
});
