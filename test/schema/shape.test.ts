import { describe, expect, it } from 'vitest';
import { avro, json, jsonSchema, protobuf } from '../../src/schema/index.js';
import { fieldsOfSchema } from '../../src/schema/shape/index.js';

const int64 = { kind: 'integer', bits: 64, signed: true } as const;
const nullable = (inner: object) => ({ kind: 'nullable', inner });
const shapes = async (schema: Parameters<typeof fieldsOfSchema>[0]) =>
  Object.fromEntries((await fieldsOfSchema(schema)).map(({ name, shape }) => [name, shape]));

describe('fieldsOfSchema', () => {
  const avroOf = (fields: object[], more: object = {}) =>
    avro({ subject: 's', definition: JSON.stringify({ type: 'record', name: 'R', fields }), ...more });

  it('reads an Avro record: logical types, unions, what contains itself', async () => {
    const logical = (type: string, logicalType: string, more: object = {}) => ({ type, logicalType, ...more });
    const fields = [
      { name: 'id', type: 'long' },
      { name: 'note', type: ['null', 'string'] },
      { name: 'either', type: ['string', 'long'] },
      { name: 'at', type: logical('long', 'timestamp-millis') },
      { name: 'exactly', type: logical('long', 'timestamp-micros') },
      { name: 'day', type: logical('int', 'date') },
      { name: 'price', type: logical('bytes', 'decimal', { precision: 12, scale: 2 }) },
      { name: 'raw', type: { type: 'fixed', name: 'F', size: 4 } },
      { name: 'kind', type: { type: 'enum', name: 'K', symbols: ['A', 'B'] } },
      { name: 'tags', type: { type: 'array', items: 'string' } },
      { name: 'by', type: { type: 'map', values: 'float' } },
      { name: 'leg', type: { type: 'record', name: 'L', fields: [{ name: 'next', type: ['null', 'L'] }] } },
    ];
    expect(await shapes(avroOf(fields))).toEqual({
      id: int64,
      note: nullable({ kind: 'text' }),
      either: { kind: 'json' },
      at: { kind: 'time', unit: 'millis' },
      exactly: { kind: 'time', unit: 'micros' },
      day: { kind: 'day', counted: true },
      price: { kind: 'decimal', precision: 12, scale: 2 },
      raw: { kind: 'bytes' },
      kind: { kind: 'word' },
      tags: { kind: 'list', items: { kind: 'text' } },
      by: { kind: 'map', keys: { kind: 'text' }, values: { kind: 'float', bits: 32 } },
      leg: { kind: 'record', fields: [{ name: 'next', shape: nullable({ kind: 'json' }) }] },
    });
    expect(await shapes(avroOf(fields.slice(5, 6), { timestamp: 'date' }))).toEqual({
      day: { kind: 'day', counted: false },
    });
  });

  it('reads a JSON schema: references, what may be missing, what may be anything', async () => {
    const definition = JSON.stringify({
      type: 'object',
      required: ['id', 'leg', 'any'],
      properties: {
        id: { type: 'integer' },
        note: { type: 'string' },
        level: { type: 'string', enum: ['low', 'high'], default: 'low' },
        score: { type: ['number', 'null'] },
        leg: { $ref: '#/$defs/leg' },
        any: {},
        by: { type: 'object', additionalProperties: { type: 'boolean' } },
      },
      $defs: {
        leg: { type: 'object', required: ['to'], properties: { to: { type: 'array', items: { type: 'string' } } } },
      },
    });
    expect(await shapes(jsonSchema({ subject: 's', definition }))).toEqual({
      id: int64,
      note: nullable({ kind: 'text' }),
      level: { kind: 'word' },
      score: nullable({ kind: 'float', bits: 64 }),
      leg: { kind: 'record', fields: [{ name: 'to', shape: { kind: 'list', items: { kind: 'text' } } }] },
      any: nullable({ kind: 'json' }),
      by: nullable({ kind: 'map', keys: { kind: 'text' }, values: { kind: 'boolean' } }),
    });
  });

  it('reads a Protobuf message: presence, maps, well-known types', async () => {
    const definition = `syntax = "proto3"; package p; import "google/protobuf/timestamp.proto"; import "google/protobuf/wrappers.proto";
      enum Kind { A = 0; } message Leg { string to = 1; Leg next = 2; }
      message M { uint32 id = 1; optional sint64 delta = 2; google.protobuf.Timestamp at = 3; google.protobuf.DoubleValue score = 4;
        repeated Leg legs = 5; map<int32, bytes> by_id = 6; Kind kind = 7; }`;
    const leg = {
      kind: 'record',
      fields: [
        { name: 'to', shape: { kind: 'text' } },
        { name: 'next', shape: nullable({ kind: 'json' }) },
      ],
    };
    expect(await shapes(protobuf({ subject: 's', definition, message: 'p.M' }))).toEqual({
      id: { kind: 'integer', bits: 32, signed: false },
      delta: nullable(int64),
      at: nullable({ kind: 'time', unit: 'millis' }),
      score: nullable({ kind: 'float', bits: 64 }),
      legs: { kind: 'list', items: leg },
      byId: { kind: 'map', keys: { kind: 'integer', bits: 32, signed: true }, values: { kind: 'bytes' } },
      kind: { kind: 'word' },
    });
  });

  it('says which schemas have no fields', async () => {
    await expect(fieldsOfSchema(json())).rejects.toMatchObject({ code: 'config' });
    await expect(fieldsOfSchema(avro({ subject: 's', definition: '"long"' }))).rejects.toMatchObject({
      code: 'config',
    });
  });
});
