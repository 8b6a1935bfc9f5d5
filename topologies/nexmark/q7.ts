import { json, seconds, topology, window } from 'millrace';
import { kafka } from 'millrace/connectors/kafka';
import { tumbling } from 'millrace/window';
import type { Bid } from '../../schemas/nexmark/bid.js';
import { type Most, mostOf, mostOfMost } from './most-of.js';
import { bids, deadLetters } from './sources.js';

/** Highest bid: the bids with the highest price of every ten seconds. */
export const q7 = topology('nexmark-q7', { deadLetters }, (t) => {
  t.source('bids', bids())
    .via(
      'highest-here',
      window({
        key: () => 'all',
        window: tumbling(seconds(10)),
        aggregate: { highest: mostOf('price', ({ price }: Bid) => price) },
        keysMax: 1,
      }),
    )
    .repartition('of-all-tasks', { key: () => 'all', schema: json<{ readonly highest: Most<Bid> }>() })
    .via(
      'highest',
      window({
        key: () => 'all',
        window: tumbling(seconds(10)),
        aggregate: { highest: mostOfMost('highest', ({ highest }: { readonly highest: Most<Bid> }) => highest) },
        keysMax: 1,
      }),
    )
    .to('out', kafka.sink({ topic: 'nexmark.q7', schema: json() }));
});
