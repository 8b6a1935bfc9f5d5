import { topology } from 'millrace';
import { kafka } from 'millrace/connectors/kafka';
import { BidV1 } from '../../schemas/nexmark/bid.js';
import { bids, deadLetters } from './sources.js';

/** Pass through: every bid as it is, the cost of reading and writing alone. */
export const q0 = topology('nexmark-q0', { deadLetters }, (t) => {
  t.source('bids', bids()).to('out', kafka.sink({ topic: 'nexmark.q0', schema: BidV1 }));
});
