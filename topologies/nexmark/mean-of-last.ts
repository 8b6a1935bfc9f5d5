import type { Operator } from 'millrace';
import { mapCell } from 'millrace/ml';
import { stateful } from 'millrace/operator';
import type { ClosedAuction } from './closed-auctions.js';

export interface SellerMean {
  readonly seller: number;
  readonly price: number;
}

type Sale = readonly [closedAt: number, auction: number, price: number];
const cells = { sales: mapCell<number, readonly Sale[]>() };

/** The mean price of each seller's last auctions, by when they closed. State: so many prices a seller. */
export const meanOfLast = (auctions: number): Operator<ClosedAuction, SellerMean> =>
  stateful<ClosedAuction, SellerMean, typeof cells>({
    kind: 'meanOfLast',
    settings: { auctions },
    cells,
    open: ({ sales }) => ({
      onRecord(_input, { seller, id, price, closedAt }, emit) {
        const last = [...(sales.get(seller) ?? []), [closedAt, id, price] as const]
          .sort(([timeA, a], [timeB, b]) => timeA - timeB || a - b)
          .slice(-auctions);
        sales.set(seller, last);
        emit({ seller, price: last.reduce((sum, [, , each]) => sum + each, 0) / last.length });
      },
    }),
  });
