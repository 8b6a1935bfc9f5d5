import type { FlightDeparted } from '../../schemas/flight-departed.v1.js';

// What is encoded and decoded: a flat record, and an order with nested lines, a map and an enum, in three languages of schemas.

export const flights: readonly FlightDeparted[] = Array.from({ length: 1_000 }, (_, index) => ({
  flightId: index,
  departedAt: 978_307_200_000 + index * 1_000,
  utcOffsetMinutes: -300,
  origin: 'ATL',
  destination: 'ORD',
  distance: 606,
}));

export const orders = Array.from({ length: 1_000 }, (_, index) => ({
  id: index * 1_000,
  customer: `customer-${index}`,
  paid: index % 2 === 0,
  price: index + 0.25,
  kind: 'CARD',
  lines: [
    { article: 'tea', count: 2 },
    { article: 'a longer name of an article', count: index },
  ],
  stock: { berlin: 5, ulm: index },
}));

export const orderAvro = JSON.stringify({
  type: 'record',
  name: 'Order',
  fields: [
    { name: 'id', type: 'long' },
    { name: 'customer', type: 'string' },
    { name: 'paid', type: 'boolean' },
    { name: 'price', type: 'double' },
    { name: 'kind', type: { type: 'enum', name: 'Kind', symbols: ['NONE', 'CARD'] } },
    {
      name: 'lines',
      type: {
        type: 'array',
        items: {
          type: 'record',
          name: 'Line',
          fields: [
            { name: 'article', type: 'string' },
            { name: 'count', type: 'int' },
          ],
        },
      },
    },
    { name: 'stock', type: { type: 'map', values: 'int' } },
  ],
});

export const orderProto = `
syntax = "proto3";
package bench;
message Order {
  message Line { string article = 1; int32 count = 2; }
  enum Kind { NONE = 0; CARD = 1; }
  int64 id = 1;
  string customer = 2;
  bool paid = 3;
  double price = 4;
  Kind kind = 5;
  repeated Line lines = 6;
  map<string, int32> stock = 7;
}`;

export const orderJson = {
  type: 'object',
  properties: {
    id: { type: 'integer' },
    customer: { type: 'string', minLength: 1 },
    paid: { type: 'boolean' },
    price: { type: 'number', minimum: 0 },
    kind: { enum: ['NONE', 'CARD'] },
    lines: {
      type: 'array',
      items: {
        type: 'object',
        properties: { article: { type: 'string' }, count: { type: 'integer', minimum: 0 } },
        required: ['article', 'count'],
      },
    },
    stock: { type: 'object', additionalProperties: { type: 'integer' } },
  },
  required: ['id', 'customer', 'price'],
};

export interface Reading {
  readonly sensor: string;
  readonly celsius: number;
  readonly count: number;
}

export const readings: readonly Reading[] = orders.map(({ customer, price, id }) => ({
  sensor: customer,
  celsius: price,
  count: id,
}));
