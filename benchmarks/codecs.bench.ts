/**
 * What do the codecs cost beside the libraries that they could have been?
 *
 * One order with a nested line, a map and a timestamp, encoded and decoded. Each codec against the raw library doing the
 * same: the values that a step would see, with what the format itself checks. `avsc` alone; `protobufjs` from and to plain
 * objects; `ajv` and JSON; `JSON.stringify` and `JSON.parse`; text to and from `Buffer`; CSV by hand, split at the commas.
 */
import { readFileSync } from 'node:fs';
import { Ajv } from 'ajv';
import avsc from 'avsc';
import protobufjs from 'protobufjs';
import { type FlightDeparted, FlightDepartedV1 } from '../schemas/flight-departed.v1.js';
import type { Schema } from '../src/core/schema.js';
import { avro, csv, json, jsonSchema, localRegistry, openCodec, protobuf, text } from '../src/schema/index.js';
import type { Benchmark } from './benchmark.js';
import { type Contestant, measurePairs, type Run, type Spread, spreadOf } from './pairs.js';

const RECORDS = 200_000;

interface Way {
  encode(value: never): Uint8Array;
  decode(bytes: Uint8Array): unknown;
}

interface Case {
  readonly name: string;
  readonly schema: Schema<unknown>;
  readonly values: readonly unknown[];
  readonly raw: Way;
}

const flights: readonly FlightDeparted[] = Array.from({ length: 1_000 }, (_, index) => ({
  flightId: index,
  departedAt: 978_307_200_000 + index * 1_000,
  utcOffsetMinutes: -300,
  origin: 'ATL',
  destination: 'ORD',
  distance: 606,
}));

const orders = Array.from({ length: 1_000 }, (_, index) => ({
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

const orderAvro = JSON.stringify({
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

const orderProto = `
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

const orderJson = {
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

function rawAvro(definition: string): Way {
  const type = avsc.Type.forSchema(JSON.parse(definition));
  return { encode: (value) => type.toBuffer(value), decode: (bytes) => type.fromBuffer(bytes as Buffer) };
}

function rawProtobuf(): Way {
  const type = protobufjs.parse(orderProto, new protobufjs.Root()).root.lookupType('bench.Order');
  const plain = { longs: Number, enums: String, defaults: true };
  return {
    encode: (value) => type.encode(type.fromObject(value)).finish(),
    decode: (bytes) => type.toObject(type.decode(bytes), plain),
  };
}

function rawJsonSchema(): Way {
  const validate = new Ajv({ strict: false }).compile(orderJson);
  const valid = <T>(value: T): T => {
    if (!validate(value)) throw new Error('it must be valid');
    return value;
  };
  return {
    encode: (value) => Buffer.from(JSON.stringify(valid(value))),
    decode: (bytes) => valid(JSON.parse((bytes as Buffer).toString())),
  };
}

const rawJson: Way = {
  encode: (value) => Buffer.from(JSON.stringify(value)),
  decode: (bytes) => JSON.parse((bytes as Buffer).toString()),
};

const rawText: Way = {
  encode: (value) => Buffer.from(value as string),
  decode: (bytes) => (bytes as Buffer).toString(),
};

interface Reading {
  readonly sensor: string;
  readonly celsius: number;
  readonly count: number;
}
const rawCsv: Way = {
  encode: (value: Reading) => Buffer.from(`${value.sensor},${value.celsius},${value.count}`),
  decode(bytes) {
    const [sensor = '', celsius = '', count = ''] = (bytes as Buffer).toString().split(',');
    return { sensor, celsius: Number(celsius), count: Number(count) };
  },
};

const cases: readonly Case[] = [
  {
    name: 'Avro, flat',
    schema: FlightDepartedV1 as Schema<unknown>,
    values: flights,
    raw: rawAvro(readFileSync(FlightDepartedV1.definition as URL, 'utf8')),
  },
  {
    name: 'Avro, nested',
    schema: avro<unknown>({ subject: 'orders', definition: orderAvro }),
    values: orders,
    raw: rawAvro(orderAvro),
  },
  {
    name: 'Protobuf',
    schema: protobuf<unknown>({ subject: 'orders', definition: orderProto, message: 'bench.Order' }),
    values: orders,
    raw: rawProtobuf(),
  },
  {
    name: 'JSON Schema',
    schema: jsonSchema<unknown>({ subject: 'orders', definition: JSON.stringify(orderJson) }),
    values: orders,
    raw: rawJsonSchema(),
  },
  { name: 'JSON', schema: json<unknown>(), values: orders, raw: rawJson },
  {
    name: 'CSV',
    schema: csv({ columns: { sensor: 'text', celsius: 'number', count: 'integer' } }) as Schema<unknown>,
    values: orders.map(({ customer, price, id }) => ({ sensor: customer, celsius: price, count: id })),
    raw: rawCsv,
  },
  { name: 'text', schema: text() as Schema<unknown>, values: orders.map(({ customer }) => customer), raw: rawText },
];

function contestant(name: string, { encode, decode }: Way, values: readonly unknown[]): Contestant {
  return {
    name,
    work() {
      let kept: unknown;
      for (let index = 0; index < RECORDS; index++) kept = decode(encode(values[index % values.length] as never));
      return kept === undefined ? 0 : RECORDS;
    },
  };
}

/** By the processor's time: each way is one thread that waits for nothing, and others may be at work beside it. */
const rateOf = ({ records, cpuSeconds }: Run): number => records / cpuSeconds;

export const benchmark: Benchmark = async (progress) => {
  const figures: Record<string, Spread> = {};
  const ratios: Record<string, Spread> = {};
  for (const { name, schema, values, raw } of cases) {
    const codec = await openCodec(schema, localRegistry());
    const [first, second] = [
      contestant(`${name}: raw`, raw, values),
      contestant(`${name}: codec`, codec as Way, values),
    ] as const;
    const { runs } = await measurePairs([first, second], { pairs: 7, warmUps: 2 }, progress);
    const [a = [], b = []] = [runs[first.name], runs[second.name]];
    figures[first.name] = spreadOf(a.map(rateOf));
    figures[second.name] = spreadOf(b.map(rateOf));
    ratios[`${name}: codec through raw`] = spreadOf(b.map((run, i) => rateOf(run) / rateOf(a[i] as Run)));
  }
  return { unit: 'records/s of processor time, encoded and decoded', figures, ratios };
};
