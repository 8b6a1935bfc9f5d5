import { type Duration, type Source, seconds } from 'millrace';
import { kafka } from 'millrace/connectors/kafka';
import { type Auction, AuctionV1 } from '../../schemas/nexmark/auction.js';
import { type Bid, BidV1 } from '../../schemas/nexmark/bid.js';
import { type Person, PersonV1 } from '../../schemas/nexmark/person.js';

// The three streams of Nexmark (Tucker, Tufte, Papadimos and Maier, 2008): an auction house online.

/** How far behind the latest one an event may come. */
export const outOfOrdernessMax: Duration = seconds(2);
const eventTime = (event: { readonly dateTime: number }) => event.dateTime;

export const topics = { persons: 'nexmark.person.v1', auctions: 'nexmark.auction.v1', bids: 'nexmark.bid.v1' } as const;

export const persons = (): Source<Person> =>
  kafka.source({ topic: topics.persons, schema: PersonV1, eventTime, outOfOrdernessMax });
export const auctions = (): Source<Auction> =>
  kafka.source({ topic: topics.auctions, schema: AuctionV1, eventTime, outOfOrdernessMax });
export const bids = (): Source<Bid> =>
  kafka.source({ topic: topics.bids, schema: BidV1, eventTime, outOfOrdernessMax });
/** Bids by when they arrived: the log's own timestamps, which are in order. */
export const bidsAsTheyArrive = (): Source<Bid> => kafka.source({ topic: topics.bids, schema: BidV1 });

export const deadLetters = kafka.deadLetterSink({ topic: 'nexmark.dead' });
