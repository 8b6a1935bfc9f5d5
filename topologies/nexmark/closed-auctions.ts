import type { MultiInputOperator } from 'millrace';
import { mapCell } from 'millrace/ml';
import { stateful, timerCell } from 'millrace/operator';
import type { Auction } from '../../schemas/nexmark/auction.js';
import type { Bid } from '../../schemas/nexmark/bid.js';

/** An auction that is over and found a buyer. */
export interface ClosedAuction {
  readonly id: number;
  readonly seller: number;
  readonly category: number;
  /** The highest bid. */
  readonly price: number;
  readonly closedAt: number;
}

interface Offer {
  readonly price: number;
  readonly dateTime: number;
}

const cells = {
  open: mapCell<number, Auction>(),
  highest: mapCell<number, number>(),
  /** Bids that came before their auction did. */
  early: mapCell<number, readonly Offer[]>(),
  closing: timerCell<number>({ timersMax: 10_000_000 }),
  forgetting: timerCell<number>({ timersMax: 10_000_000 }),
};

/**
 * Auctions as they close, each with its highest bid; an auction without bids closes unheard. Bids count from the
 * auction's beginning to its end, both included. State: the auctions that are open.
 */
export const closedAuctions = (): MultiInputOperator<Auction, { bids: Bid }, ClosedAuction> =>
  stateful<Auction, { bids: Bid }, ClosedAuction, typeof cells>({
    kind: 'closedAuctions',
    inputs: ['bids'],
    cells,
    open({ open, highest, early, closing, forgetting }) {
      const offer = ({ id, dateTime, expires }: Auction, bid: Offer) => {
        if (bid.dateTime < dateTime || bid.dateTime > expires) return;
        if (bid.price > (highest.get(id) ?? 0)) highest.set(id, bid.price);
      };
      return {
        onRecord(input, value) {
          if (input === 0) {
            const auction = value as Auction;
            open.set(auction.id, auction);
            closing.add(auction.expires + 1, auction.id);
            for (const bid of early.get(auction.id) ?? []) offer(auction, bid);
            early.delete(auction.id);
            return;
          }
          const { auction: id, price, dateTime } = value as Bid;
          const auction = open.get(id);
          if (auction) offer(auction, { price, dateTime });
          else {
            early.set(id, [...(early.get(id) ?? []), { price, dateTime }]);
            forgetting.add(dateTime + 1, id);
          }
        },
        onWatermark(watermarkMs, emit) {
          // An auction that is not there by the time of its bid has closed before.
          forgetting.takeDue(watermarkMs, (id) => early.delete(id));
          closing.takeDue(watermarkMs, (id) => {
            const { seller, category, expires } = open.get(id) as Auction;
            const price = highest.get(id);
            open.delete(id);
            highest.delete(id);
            if (price !== undefined) emit({ id, seller, category, price, closedAt: expires }, expires);
          });
        },
      };
    },
  });
