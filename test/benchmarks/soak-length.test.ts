import { expect, it } from 'vitest';
import { closingOf, isCopy, numberOf, PARTITIONS, paymentOf } from '../../benchmarks/soak-length/events.js';

const RECORDS = 10_000;
const records = Array.from({ length: RECORDS }, (_, record) => record);
const partitions = Array.from({ length: PARTITIONS }, (_, partition) => partition);

it('repeats a payment of the thousand records before in every tenth record, and no other one', () => {
  const copies = records.filter(isCopy);
  expect(copies).toHaveLength(RECORDS / 10);
  const payments = records.filter((record) => !isCopy(record)).map((record) => paymentOf(1, record));
  const recordOf = new Map(payments.map(({ id }, index) => [id, Math.floor((index * 10) / 9)]));
  expect(recordOf.size).toBe(payments.length);
  const distances = copies.map((copy) => copy - (recordOf.get(paymentOf(1, copy).id) as number));
  expect(Math.min(...distances)).toBeGreaterThan(0);
  expect(Math.max(...distances)).toBeLessThanOrEqual(1_000);
});

it('has users who come for a time, in one partition each', () => {
  const stays = new Map<string, { partition: number; first: number; last: number }>();
  for (const partition of partitions)
    for (const record of records) {
      const { user } = paymentOf(partition, record);
      const { first } = stays.get(user) ?? { first: record };
      stays.set(user, { partition, first, last: record });
    }
  const wrong = [...stays].filter(([user, { partition }]) => numberOf(user) % PARTITIONS !== partition);
  expect(wrong).toEqual([]);
  const early = [...stays.values()].filter(({ last }) => last < RECORDS / 2);
  const late = [...stays.values()].filter(({ first }) => first > RECORDS / 2);
  expect(Math.min(early.length, late.length)).toBeGreaterThan(100);
});

it('closes every window by its last record', () => {
  const times = records.map((record) => paymentOf(3, record).at);
  expect(closingOf(3, RECORDS).at - Math.max(...times)).toBeGreaterThan(2 * 300_000);
});
