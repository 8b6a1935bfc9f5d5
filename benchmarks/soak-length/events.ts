import { avro } from '../../src/schema/index.js';

export const PARTITIONS = 4;

/** A payment of a user. */
export interface Payment {
  readonly id: number;
  readonly user: string;
  readonly amount: number;
  readonly at: number;
}

/** What a user paid in a window. */
export interface Total {
  readonly user: string;
  readonly startMs: number;
  readonly payments: number;
  readonly amount: number;
}

const long = (name: string) => ({ name, type: 'long' });
const text = (name: string) => ({ name, type: 'string' });
const record = (name: string, ...fields: readonly object[]) => JSON.stringify({ type: 'record', name, fields });

export const PaymentV1 = avro<Payment>({
  subject: 'soak.payments-value',
  definition: record('Payment', long('id'), text('user'), long('amount'), long('at')),
});
export const TotalV1 = avro<Total>({
  subject: 'soak.totals-value',
  definition: record('Total', text('user'), long('startMs'), long('payments'), long('amount')),
});

const BASE_MS = Date.UTC(2026, 0, 1);
/** Payments of a user, and users who pay at the same time. New users come without end, and none comes back. */
const PAYMENTS = 50;
const USERS = 2_000;
/** Every tenth record is a copy of one of the thousand before it. */
const EACH = 10;
const COPIES_BACK = 100;

/** The record of which this one is a copy, or itself. */
function originalOf(record: number): number {
  if (record % EACH !== EACH - 1) return record;
  const tens = Math.floor(record / EACH);
  return record - 1 - EACH * ((tens * 7_919) % Math.min(COPIES_BACK, tens + 1));
}

export const isCopy = (record: number): boolean => originalOf(record) !== record;

/** The number in the name of a user. */
export const numberOf = (user: string): number => Number(user.slice('user-'.length));

/** The payment in a record of a partition, by arithmetic alone: a millisecond of event time after the one before it in all partitions. */
export function paymentOf(partition: number, record: number): Payment {
  const original = originalOf(record);
  const id = original * PARTITIONS + partition;
  const user = Math.floor(original / PAYMENTS) + ((original * 7_919) % USERS);
  return { id, user: `user-${user * PARTITIONS + partition}`, amount: id % 997, at: BASE_MS + id };
}

/** The last record of a partition, whose event time closes the windows of all others. */
export function closingOf(partition: number, records: number): Payment {
  const last = paymentOf(partition, records);
  return { id: -1 - partition, user: 'user-0', amount: 0, at: last.at + 3_600_000 };
}
