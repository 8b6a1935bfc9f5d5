import { protobuf } from '../src/schema/index.js';

/** A customer has ordered. Key: the customer. */
export interface Order {
  readonly orderId: bigint;
  readonly customer: string;
  readonly orderedAt: Date | null;
  readonly channel: 'UNKNOWN' | 'SHOP' | 'PHONE' | number;
  readonly lines: readonly OrderLine[];
  readonly cardToken: string | null;
  readonly iban: string | null;
  readonly labels: Readonly<Record<string, string>>;
  /** Of the sum, 0 to 1. */
  readonly discount: number | null;
}

export interface OrderLine {
  readonly article: string;
  readonly count: number;
  readonly price: Money | null;
}

export interface Money {
  /** ISO 4217. */
  readonly currency: string;
  readonly cents: bigint;
}

export const OrderV1 = protobuf<Order>({
  subject: 'orders.v1-value',
  file: new URL('./order.v1.proto', import.meta.url),
  message: 'millrace.shop.v1.Order',
  long: 'bigint',
});
