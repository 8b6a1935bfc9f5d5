import { json, map, topology } from 'millrace';
import { kafka } from 'millrace/connectors/kafka';
import { bids, deadLetters } from './sources.js';

const EUROS_A_DOLLAR = 0.908;

/** Currency conversion: prices of bids in euro. */
export const q1 = topology('nexmark-q1', { deadLetters }, (t) => {
  t.source('bids', bids())
    .via(
      'in-euro',
      map(({ auction, bidder, price, dateTime }) => ({ auction, bidder, price: price * EUROS_A_DOLLAR, dateTime })),
    )
    .to('out', kafka.sink({ topic: 'nexmark.q1', schema: json() }));
});
