import { readFileSync } from 'node:fs';
import { FlightDepartedV1 } from '../../../schemas/flight-departed.v1.js';
import type { Schema } from '../../../src/core/schema.js';
import { avro, bytes, csv, json, jsonSchema, ndjson, protobuf, text } from '../../../src/schema/index.js';
import type { Chance } from '../chance.js';
import { type AvroJson, hostileAvro } from './hostile-avro.js';
import { hostileCsv } from './hostile-csv.js';
import { hostileJson } from './hostile-json.js';
import { type HostileMessage, hostileProtobuf } from './hostile-protobuf.js';
import { textBytes } from './varint.js';

// Every format with good values, which are spoilt byte by byte, and with a writer that knows the format and lies.

export interface Format {
  readonly schema: Schema<unknown>;
  readonly values: readonly unknown[];
  /** Bytes in front of what `hostile` gives, which are those of a good payload: ids and indexes. */
  readonly headerBytes: number;
  readonly hostile: (chance: Chance) => Uint8Array;
}

const departed = {
  flightId: 1_234_567,
  departedAt: 978_307_200_000,
  utcOffsetMinutes: -300,
  origin: 'JFK',
  destination: 'BOS',
  distance: 187,
};

const tree = {
  type: 'record',
  name: 'Tree',
  fields: [
    { name: 'name', type: 'string' },
    { name: 'nulls', type: { type: 'array', items: 'null' } },
    { name: 'weights', type: { type: 'map', values: { type: 'array', items: 'double' } } },
    { name: 'amount', type: { type: 'bytes', logicalType: 'decimal', precision: 20, scale: 2 } },
    { name: 'at', type: { type: 'long', logicalType: 'timestamp-micros' } },
    { name: 'serial', type: 'long' },
    { name: 'kind', type: { type: 'enum', name: 'Kind', symbols: ['A', 'B'] } },
    { name: 'any', type: ['null', 'string', 'boolean', { type: 'array', items: 'int' }] },
    { name: 'children', type: { type: 'array', items: 'Tree' } },
  ],
};
const leaf = {
  name: 'leaf',
  nulls: [null, null],
  weights: { a: [1, 2], b: [] },
  amount: '-12.50',
  at: new Date(0),
  serial: -(2n ** 62n),
  kind: 'B',
  any: [1, 2],
  children: [],
};

const proto = `
syntax = "proto3";
package fuzz;
import "google/protobuf/timestamp.proto";
import "google/protobuf/struct.proto";
message Node {
  int64 id = 1;
  string name = 2;
  repeated int32 numbers = 3;
  map<string, Node> children = 4;
  oneof choice { string text = 5; Node node = 6; }
  google.protobuf.Timestamp at = 7;
  google.protobuf.Struct extra = 8;
  repeated string tags = 9;
  double weight = 10;
  enum Kind { NONE = 0; SOME = 1; }
  Kind kind = 11;
  fixed64 serial = 12;
  repeated Node nodes = 13;
}`;
const node = {
  id: 5,
  name: 'n',
  numbers: [1, -1],
  tags: ['a'],
  at: new Date(5),
  extra: { a: [1, { b: null }] },
  kind: 'SOME',
};

/** The same to the hostile writer. */
const nodeFields: HostileMessage = () => [
  { id: 1, holds: 'varint' },
  { id: 2, holds: 'text' },
  { id: 3, holds: 'packed' },
  { id: 3, holds: 'varint' },
  {
    id: 4,
    holds: () => [
      { id: 1, holds: 'text' },
      { id: 2, holds: nodeFields },
    ],
  },
  { id: 5, holds: 'text' },
  { id: 6, holds: nodeFields },
  {
    id: 7,
    holds: () => [
      { id: 1, holds: 'varint' },
      { id: 2, holds: 'varint' },
    ],
  },
  { id: 8, holds: structFields },
  { id: 9, holds: 'text' },
  { id: 10, holds: 'fixed64' },
  { id: 11, holds: 'varint' },
  { id: 12, holds: 'fixed64' },
  { id: 13, holds: nodeFields },
];
const structFields: HostileMessage = () => [
  {
    id: 1,
    holds: () => [
      { id: 1, holds: 'text' },
      { id: 2, holds: valueFields },
    ],
  },
];
const valueFields: HostileMessage = () => [
  { id: 1, holds: 'varint' },
  { id: 2, holds: 'fixed64' },
  { id: 3, holds: 'text' },
  { id: 4, holds: 'varint' },
  { id: 5, holds: structFields },
  { id: 6, holds: () => [{ id: 1, holds: valueFields }] },
];

const nodeSchema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  type: 'object',
  properties: {
    id: { type: 'integer' },
    name: { type: 'string', maxLength: 20 },
    at: { type: 'string', format: 'date-time' },
    children: { type: 'array', items: { $ref: '#' }, maxItems: 3 },
  },
  required: ['id'],
};
const nested = { id: 1, name: 'n', at: '2024-01-01T00:00:00Z', children: [{ id: 2, children: [{ id: 3 }] }] };

const flight = JSON.parse(readFileSync(FlightDepartedV1.definition as URL, 'utf8')) as AvroJson;

/** Every format, with values to spoil. */
export const formats: Readonly<Record<string, Format>> = {
  'avro-flat': {
    schema: FlightDepartedV1 as Schema<unknown>,
    values: [departed, { ...departed, origin: null }],
    headerBytes: 5,
    hostile: (chance) => hostileAvro(flight, chance),
  },
  'avro-nested': {
    schema: avro<unknown>({ subject: 'tree', definition: JSON.stringify(tree), long: 'bigint', timestamp: 'date' }),
    values: [leaf, { ...leaf, any: 'x', children: [leaf, { ...leaf, children: [leaf] }] }],
    headerBytes: 5,
    hostile: (chance) => hostileAvro(tree as AvroJson, chance),
  },
  protobuf: {
    schema: protobuf<unknown>({ subject: 'node', definition: proto, message: 'fuzz.Node' }),
    values: [node, { ...node, node, children: { a: node, b: { children: { c: node } } } }],
    headerBytes: 6,
    hostile: (chance) => hostileProtobuf(nodeFields, chance),
  },
  'json-schema': {
    schema: jsonSchema<unknown>({ subject: 'nested', definition: JSON.stringify(nodeSchema) }),
    values: [nested, { id: 1, children: [nested, nested] }],
    headerBytes: 5,
    hostile: hostileJson,
  },
  json: {
    schema: json<unknown>(),
    values: [departed, [[['x']]], 'text'],
    headerBytes: 0,
    hostile: hostileJson,
  },
  ndjson: {
    schema: ndjson<unknown>(),
    values: [departed, { a: [{ b: ['c'] }] }],
    headerBytes: 0,
    hostile: (chance) => Buffer.concat([hostileJson(chance), Buffer.from(chance.pick(['\n', '\r\n', '', '\n\n']))]),
  },
  csv: {
    schema: csv({ columns: { a: 'text', b: 'number?', c: 'date', d: 'bigint', e: 'boolean' } }) as Schema<unknown>,
    values: [
      { a: 'x "y", z', b: 1.5, c: new Date(0), d: -5n, e: true },
      { a: '', b: null, c: new Date(1e12), d: 0n, e: false },
    ],
    headerBytes: 0,
    hostile: hostileCsv,
  },
  text: {
    schema: text() as Schema<unknown>,
    values: ['plain', 'äöü€😀'],
    headerBytes: 0,
    hostile: (chance) => Buffer.concat([textBytes(chance), textBytes(chance)]),
  },
  bytes: {
    schema: bytes() as Schema<unknown>,
    values: [Buffer.from('abc')],
    headerBytes: 0,
    hostile: textBytes,
  },
};
