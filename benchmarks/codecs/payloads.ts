import { readFileSync } from 'node:fs';
import { Ajv } from 'ajv';
import avsc from 'avsc';
import { parse } from 'csv-parse/sync';
import { stringify } from 'csv-stringify/sync';
import protobufjs from 'protobufjs';
import { FlightDepartedV1 } from '../../schemas/flight-departed.v1.js';
import type { Schema } from '../../src/core/schema.js';
import { avro, bytes, csv, json, jsonSchema, ndjson, protobuf, text } from '../../src/schema/index.js';
import { papaparse } from '../papaparse.js';
import { type Case, inOneText, type OneByOne, oneByOne, payloadCase } from './case.js';
import { flights, orderAvro, orderJson, orderProto, orders, type Reading, readings } from './values.js';

function byAvsc(definition: string): OneByOne {
  const type = avsc.Type.forSchema(JSON.parse(definition));
  return { encode: (value) => type.toBuffer(value), decode: (payload) => type.fromBuffer(payload as Buffer) };
}

function byProtobufjs(): OneByOne {
  const type = protobufjs.parse(orderProto, new protobufjs.Root()).root.lookupType('bench.Order');
  const plain = { longs: Number, enums: String, defaults: true };
  return {
    encode: (value) => type.encode(type.fromObject(value)).finish(),
    decode: (payload) => type.toObject(type.decode(payload), plain),
  };
}

function byAjv(): OneByOne {
  const validate = new Ajv({ strict: false }).compile(orderJson);
  const valid = <T>(value: T): T => {
    if (!validate(value)) throw new Error('it must be valid');
    return value;
  };
  return {
    encode: (value) => Buffer.from(JSON.stringify(valid(value))),
    decode: (payload) => valid(JSON.parse((payload as Buffer).toString())),
  };
}

const byJson: OneByOne = {
  encode: (value) => Buffer.from(JSON.stringify(value)),
  decode: (payload) => JSON.parse((payload as Buffer).toString()),
};

const byJsonLines: OneByOne = {
  encode: (value) => Buffer.from(`${JSON.stringify(value)}\n`),
  decode: (payload) => JSON.parse((payload as Buffer).toString()),
};

const bySplitting: OneByOne = {
  encode: (value: Reading) => Buffer.from(`${value.sensor},${value.celsius},${value.count}`),
  decode(payload) {
    const [sensor = '', celsius = '', count = ''] = (payload as Buffer).toString().split(',');
    return { sensor, celsius: Number(celsius), count: Number(count) };
  },
};

const columns = ['sensor', 'celsius', 'count'] as const;

interface CsvLibrary {
  toText(rows: readonly object[]): string;
  parse(text: string): unknown[];
}

const papa: CsvLibrary = {
  toText: (rows) => papaparse.unparse(rows, { header: false, columns, newline: '\n' }),
  parse: (text) =>
    papaparse.parse(text, { dynamicTyping: true }).data.map(([sensor, celsius, count]) => ({ sensor, celsius, count })),
};

const csvParse: CsvLibrary = {
  toText: (rows) => stringify([...rows], { columns }),
  parse: (text) => parse(text, { columns: [...columns], cast: true }),
};

const atOnce = ({ toText, parse }: CsvLibrary, rows: readonly Reading[]) => inOneText(rows, toText, parse);

const rowByRow = ({ toText, parse }: CsvLibrary): OneByOne => ({
  encode: (value: Reading) => Buffer.from(toText([value])),
  decode: (payload) => parse((payload as Buffer).toString())[0],
});

/** Of which each row has a cell in quotes. */
const quotedReadings = readings.map((reading) => ({ ...reading, sensor: `${reading.sensor}, "${reading.count}"` }));

const byBuffer: OneByOne = {
  encode: (value) => Buffer.from(value as string),
  decode: (payload) => (payload as Buffer).toString(),
};

const asTheyAre: OneByOne = { encode: (value) => value as Uint8Array, decode: (payload) => payload };

const readingCsv = csv({ columns: { sensor: 'text', celsius: 'number', count: 'integer' } }) as Schema<unknown>;
const names = orders.map(({ customer }) => customer);
const blobs = names.map((name) => Buffer.from(name));

export const payloadCases: readonly Case[] = [
  payloadCase({
    name: 'Avro, flat',
    raw: 'avsc',
    schema: FlightDepartedV1 as Schema<unknown>,
    values: flights,
    by: () => oneByOne(byAvsc(readFileSync(FlightDepartedV1.definition as URL, 'utf8')), flights),
  }),
  payloadCase({
    name: 'Avro, nested',
    raw: 'avsc',
    schema: avro<unknown>({ subject: 'orders', definition: orderAvro }),
    values: orders,
    by: () => oneByOne(byAvsc(orderAvro), orders),
  }),
  payloadCase({
    name: 'Protobuf',
    raw: 'protobufjs, from and to plain objects',
    schema: protobuf<unknown>({ subject: 'orders', definition: orderProto, message: 'bench.Order' }),
    values: orders,
    by: () => oneByOne(byProtobufjs(), orders),
  }),
  payloadCase({
    name: 'JSON Schema',
    raw: 'ajv and JSON',
    schema: jsonSchema<unknown>({ subject: 'orders', definition: JSON.stringify(orderJson) }),
    values: orders,
    by: () => oneByOne(byAjv(), orders),
  }),
  payloadCase({
    name: 'JSON',
    raw: 'JSON',
    schema: json<unknown>(),
    values: orders,
    by: () => oneByOne(byJson, orders),
  }),
  payloadCase({
    name: 'NDJSON',
    raw: 'JSON and a line end',
    schema: ndjson<unknown>(),
    values: orders,
    by: () => oneByOne(byJsonLines, orders),
  }),
  payloadCase({
    name: 'CSV',
    raw: 'papaparse, 1,000 rows at once',
    schema: readingCsv,
    values: readings,
    by: () => atOnce(papa, readings),
  }),
  payloadCase({
    name: 'CSV, quoted',
    raw: 'papaparse, 1,000 rows at once',
    schema: readingCsv,
    values: quotedReadings,
    by: () => atOnce(papa, quotedReadings),
  }),
  payloadCase({
    name: 'CSV, a row a call',
    raw: 'papaparse',
    schema: readingCsv,
    values: readings,
    by: () => oneByOne(rowByRow(papa), readings),
  }),
  payloadCase({
    name: 'CSV, csv-parse',
    raw: 'csv-parse and csv-stringify, 1,000 rows at once',
    schema: readingCsv,
    values: readings,
    by: () => atOnce(csvParse, readings),
  }),
  payloadCase({
    name: 'CSV, csv-parse, a row a call',
    raw: 'csv-parse and csv-stringify',
    schema: readingCsv,
    values: readings,
    by: () => oneByOne(rowByRow(csvParse), readings),
  }),
  payloadCase({
    name: 'CSV, plain cells',
    raw: 'split at the commas',
    schema: readingCsv,
    values: readings,
    by: () => oneByOne(bySplitting, readings),
  }),
  payloadCase({
    name: 'text',
    raw: 'Buffer',
    schema: text() as Schema<unknown>,
    values: names,
    by: () => oneByOne(byBuffer, names),
  }),
  payloadCase({
    name: 'bytes',
    raw: 'nothing at all',
    schema: bytes() as Schema<unknown>,
    values: blobs,
    by: () => oneByOne(asTheyAre, blobs),
  }),
];
