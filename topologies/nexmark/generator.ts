import type { Auction } from '../../schemas/nexmark/auction.js';
import type { Bid } from '../../schemas/nexmark/bid.js';
import type { Person } from '../../schemas/nexmark/person.js';

export type NexmarkEvent =
  | { readonly kind: 'persons'; readonly value: Person; readonly arrivalMs: number }
  | { readonly kind: 'auctions'; readonly value: Auction; readonly arrivalMs: number }
  | { readonly kind: 'bids'; readonly value: Bid; readonly arrivalMs: number };

export interface GeneratorOptions {
  readonly events: number;
  readonly seed: number;
  /** Event time between two events. */
  readonly everyMs: number;
  /** An event arrives up to this long after it happened. */
  readonly disorderMs: number;
  /** Event time of the first one. */
  readonly startMs: number;
}

/** Of fifty events one is a person and three are auctions, as in the original; the rest are bids. */
const CYCLE = 50;
const FIRST_ID = 1_000;
const FIRST_CATEGORY = 10;
const CATEGORIES = 5;
/** One in two bids goes to an auction that is hot; one in four sellers and bidders is. */
const HOT = { auctions: 2, sellers: 4, bidders: 4 } as const;
/** Who is still active: the newest of each. */
const ACTIVE = { persons: 1_000, auctions: 100 } as const;
const STATES = ['AZ', 'CA', 'ID', 'OR', 'WA', 'WY'] as const;
const CITIES = ['Phoenix', 'Los Angeles', 'San Francisco', 'Boise', 'Portland', 'Bend', 'Redmond', 'Seattle'] as const;
const NAMES = ['Peter', 'Paul', 'Luke', 'John', 'Saul', 'Vicky', 'Kate', 'Julie', 'Sarah', 'Deiter', 'Walter'] as const;
const CHANNELS = ['Google', 'Facebook', 'Baidu', 'Apple'] as const;

/**
 * The events of Nexmark by seed, in the order of their arrival: shares, hot keys and prices follow the generator of Apache
 * Beam. Memory: all of them.
 */
export function nexmarkEvents({ events, seed, everyMs, disorderMs, startMs }: GeneratorOptions): NexmarkEvent[] {
  const random = generator(seed);
  const below = (n: number) => Math.floor(random() * n);
  const pick = <T>(from: readonly T[]): T => from[below(from.length)] as T;
  const price = () => Math.round(10 ** (random() * 6) * 100);
  const made = { persons: 0, auctions: 0 };
  const someone = (hot: number) => {
    // The hot one changes every hundred people.
    if (below(hot) > 0) return FIRST_ID + Math.floor((made.persons - 1) / 100) * 100;
    return FIRST_ID + made.persons - 1 - below(Math.min(made.persons, ACTIVE.persons));
  };
  const anAuction = () => {
    if (below(HOT.auctions) > 0) return FIRST_ID + Math.floor((made.auctions - 1) / 100) * 100;
    return FIRST_ID + made.auctions - 1 - below(Math.min(made.auctions, ACTIVE.auctions));
  };
  const valueAt = (n: number): Pick<NexmarkEvent, 'kind' | 'value'> => {
    const dateTime = startMs + n * everyMs;
    const place = n % CYCLE;
    if (place === 0) {
      const id = FIRST_ID + made.persons++;
      const name = `${pick(NAMES)} ${id}`;
      const card = Array.from({ length: 4 }, () => String(below(10_000)).padStart(4, '0')).join(' ');
      const person = {
        id,
        name,
        emailAddress: `${id}@example.com`,
        creditCard: card,
        city: pick(CITIES),
        state: pick(STATES),
        dateTime,
      };
      return { kind: 'persons', value: person };
    }
    if (place <= 3) {
      const id = FIRST_ID + made.auctions++;
      const initialBid = price();
      const expires = dateTime + 1 + below(2 * ACTIVE.auctions * Math.ceil(CYCLE / 3) * everyMs);
      const category = FIRST_CATEGORY + below(CATEGORIES);
      const seller = someone(HOT.sellers);
      const auction = {
        id,
        itemName: `item ${id}`,
        initialBid,
        reserve: initialBid + price(),
        dateTime,
        expires,
        seller,
        category,
      };
      return { kind: 'auctions', value: auction };
    }
    const channel = pick(CHANNELS);
    const bid = {
      auction: anAuction(),
      bidder: someone(HOT.bidders),
      price: price(),
      channel,
      url: `https://example.com/${channel}`,
      dateTime,
    };
    return { kind: 'bids', value: bid };
  };
  return Array.from({ length: events }, (_, n): NexmarkEvent => {
    const event = valueAt(n);
    return { ...event, arrivalMs: event.value.dateTime + below(disorderMs + 1) } as NexmarkEvent;
  }).sort((a, b) => a.arrivalMs - b.arrivalMs);
}

/** Uniform numbers in [0, 1) by seed: mulberry32, by Tommy Ettinger. */
function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}
