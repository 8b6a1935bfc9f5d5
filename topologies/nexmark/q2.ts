import { filter, json, map, topology } from 'millrace';
import { kafka } from 'millrace/connectors/kafka';
import { bids, deadLetters } from './sources.js';

/** Selection: bids on every 123rd auction. */
export const q2 = topology('nexmark-q2', { deadLetters }, (t) => {
  t.source('bids', bids())
    .via(
      'some',
      filter(({ auction }) => auction % 123 === 0),
    )
    .via(
      'prices',
      map(({ auction, price }) => ({ auction, price })),
    )
    .to('out', kafka.sink({ topic: 'nexmark.q2', schema: json() }));
});
