import { avro } from '../../src/schema/index.js';

/** Somebody bids in an auction. */
export interface Bid {
  readonly auction: number;
  readonly bidder: number;
  readonly price: number;
  readonly channel: string;
  readonly url: string;
  readonly dateTime: number;
}

export const BidV1 = avro<Bid>({
  subject: 'nexmark.bid.v1-value',
  file: new URL('./bid.avsc', import.meta.url),
});
