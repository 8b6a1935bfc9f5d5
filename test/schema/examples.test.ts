import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type Order, OrderV1 } from '../../schemas/order.v1.js';
import { type Reading, ReadingV1 } from '../../schemas/reading.v1.js';
import { localRegistry, openCodec, schemaTextOf } from '../../src/schema/index.js';
import { typesOf } from '../../src/schema/typescript/index.js';

const textOf = (file: string) => readFileSync(new URL(`../../schemas/${file}`, import.meta.url), 'utf8');

describe('the schemas that come along as examples', () => {
  it('have the types that `millrace schema types` prints', async () => {
    const order = typesOf(await schemaTextOf(OrderV1), { message: 'millrace.shop.v1.Order', long: 'bigint' });
    expect(textOf('order.v1.ts')).toContain(order);
    expect(textOf('reading.v1.ts')).toContain(typesOf(await schemaTextOf(ReadingV1)));
  });

  it('give back their values, imports and defaults included', async () => {
    const orders = await openCodec(OrderV1, localRegistry());
    const order: Order = {
      orderId: 2n ** 63n,
      customer: 'c-1',
      orderedAt: new Date(5),
      channel: 'PHONE',
      lines: [{ article: 'tea', count: 2, price: { currency: 'EUR', cents: 450n } }],
      cardToken: null,
      iban: 'DE02',
      labels: { gift: 'yes' },
      discount: 0,
    };
    expect(orders.decode(orders.encode(order))).toEqual(order);
    const readings = await openCodec(ReadingV1, localRegistry());
    const reading = { sensor: 's', measuredAt: 1, celsius: null };
    expect(readings.decode(readings.encode(reading as Reading))).toEqual({ ...reading, quality: 'good' });
  });
});
