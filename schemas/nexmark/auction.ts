import { avro } from '../../src/schema/index.js';

/** Something is put up for auction. */
export interface Auction {
  readonly id: number;
  readonly itemName: string;
  readonly initialBid: number;
  readonly reserve: number;
  readonly dateTime: number;
  readonly expires: number;
  readonly seller: number;
  readonly category: number;
}

export const AuctionV1 = avro<Auction>({
  subject: 'nexmark.auction.v1-value',
  file: new URL('./auction.avsc', import.meta.url),
});
