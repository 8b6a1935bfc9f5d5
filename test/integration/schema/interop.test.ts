import { afterAll, describe, expect, it } from 'vitest';
import { avro, bytes, csv, json, jsonSchema, ndjson, protobuf, text } from '../../../src/schema/index.js';
import { fresh } from '../kafka/world.js';
import { createTopic, endForeign, kcatReads, kcatWrites, theyRead, theyWrite, weRead, weWrite } from './foreign.js';

// Every format in both directions, through Kafka and a real registry: what a client of others writes is read here, what is
// written here is read by it, with the older and the newer version of the schema on either side.

const record = (...fields: object[]) => JSON.stringify({ type: 'record', name: 'shop.Order', fields });
const kind = (...symbols: string[]) => ({ type: 'enum', name: 'Kind', symbols, default: 'OTHER' });

afterAll(endForeign);

describe('Avro', () => {
  const v1 = record(
    { name: 'id', type: 'long' },
    { name: 'cents', type: 'int', default: 0 },
    { name: 'kind', type: kind('OTHER', 'CARD') },
    { name: 'gone', type: 'string', default: 'g' },
  );
  const v2 = record(
    { name: 'id', type: 'long' },
    { name: 'amount', aliases: ['cents'], type: 'double', default: 0 },
    { name: 'kind', type: kind('OTHER', 'CARD', 'CASH') },
    { name: 'tags', type: { type: 'array', items: 'string' }, default: [] },
    { name: 'note', type: ['null', 'string'], default: null },
  );
  const ours = (topic: string, definition: string) =>
    avro<Record<string, unknown>>({ subject: `${topic}-value`, definition, long: 'bigint' });
  const theirs = (schema: string) => ({ format: 'avro', schema }) as const;
  const [first, second] = [
    { id: 2n ** 62n, cents: 5, kind: 'CARD', gone: 'x' },
    { id: -1n, amount: 2.5, kind: 'CASH', tags: ['a'], note: 'n' },
  ];
  const tagged = (value: { id: bigint }) => ({ ...value, id: { $int: String(value.id) } });

  it('is read as it was written, and with the other version', async () => {
    const topic = fresh('avro-in');
    await createTopic(topic);
    await theyWrite(topic, theirs(v1), [tagged(first)]);
    await theyWrite(topic, theirs(v2), [tagged(second)]);
    expect(await weRead(topic, ours(topic, v1))).toEqual([first, { id: -1n, cents: 0, kind: 'OTHER', gone: 'g' }]);
    const other = record({ name: 'id', type: 'long' }, { name: 'new', type: 'int' });
    expect(await weRead(topic, ours(topic, other))).toEqual(['schema-incompatible', 'schema-incompatible']);
    expect(await weRead(topic, ours(topic, v2))).toEqual([
      { id: first.id, amount: 5, kind: 'CARD', tags: [], note: null },
      second,
    ]);
  });

  it('is written as others read it, with either version', async () => {
    const topic = fresh('avro-out');
    await weWrite(topic, ours(topic, v1), [first]);
    await weWrite(topic, ours(topic, v2), [second]);
    const narrow = record({ name: 'id', type: 'long' }, { name: 'kind', type: kind('OTHER', 'CARD') });
    const [whole, fewer] = await Promise.all([theyRead(topic, theirs(v2), 2), theyRead(topic, theirs(narrow), 2)]);
    expect(whole).toEqual([
      { id: { $int: String(first.id) }, amount: 5, kind: 'CARD', tags: [], note: null },
      { ...second, id: -1 },
    ]);
    expect(fewer).toEqual([
      { id: { $int: String(first.id) }, kind: 'CARD' },
      { id: -1, kind: 'OTHER' },
    ]);
  });

  it('agrees on logical types, maps, fixed and nested records', async () => {
    const decimal = { type: 'bytes', logicalType: 'decimal', precision: 12, scale: 2 };
    const schema = record(
      { name: 'at', type: { type: 'long', logicalType: 'timestamp-millis' } },
      { name: 'exact', type: { type: 'long', logicalType: 'timestamp-micros' } },
      { name: 'price', type: decimal },
      { name: 'maybe', type: ['null', { ...decimal, scale: 4 }] },
      { name: 'map', type: { type: 'map', values: 'long' } },
      { name: 'digest', type: { type: 'fixed', name: 'Digest', size: 2 } },
      { name: 'next', type: ['null', 'shop.Order'], default: null },
    );
    const value = {
      at: new Date('2024-02-29T12:00:00.123Z'),
      exact: new Date('1960-01-01T00:00:00.001Z'),
      price: '-1234567890.05',
      maybe: null,
      map: { a: 1n, 'ü€': -(2n ** 60n) },
      digest: Buffer.of(0, 255),
    };
    const whole = { ...value, next: { ...value, maybe: '0.0001', next: null } };
    const tag = (plain: typeof value & { next: unknown }): object => ({
      at: { $time: plain.at.getTime() },
      exact: { $time: plain.exact.getTime() },
      price: { $decimal: plain.price },
      maybe: plain.maybe === null ? null : { $decimal: plain.maybe },
      map: { a: 1, 'ü€': { $int: String(plain.map['ü€']) } },
      digest: { $bytes: plain.digest.toString('base64') },
      next: plain.next === null ? null : tag(plain.next as typeof whole),
    });
    const topic = fresh('avro-logical');
    const schemaOf = avro<unknown>({
      subject: `${topic}-value`,
      definition: schema,
      long: 'bigint',
      timestamp: 'date',
    });
    await weWrite(topic, schemaOf, [whole]);
    await theyWrite(topic, theirs(schema), [tag(whole)]);
    expect(await weRead(topic, schemaOf)).toEqual([whole, whole]);
    expect(await theyRead(topic, theirs(schema), 2)).toEqual([tag(whole), tag(whole)]);
  });
});

describe('JSON Schema', () => {
  const draft = 'http://json-schema.org/draft-07/schema#';
  const properties = { id: { type: 'string' }, cents: { type: 'integer', minimum: 0 } };
  const v1 = JSON.stringify({
    $schema: draft,
    title: 'Payment',
    type: 'object',
    properties,
    required: ['id', 'cents'],
  });
  const v2 = JSON.stringify({
    $schema: draft,
    title: 'Payment',
    type: 'object',
    properties: { ...properties, method: { type: 'string', default: 'card' }, note: { type: ['string', 'null'] } },
    required: ['id', 'cents'],
  });
  const ours = (topic: string, definition: string) =>
    jsonSchema<Record<string, unknown>>({ subject: `${topic}-value`, definition });
  const theirs = (schema: string) => ({ format: 'json-schema', schema }) as const;
  const first = { id: 'a', cents: 1 };
  const second = { id: 'ü', cents: 2 ** 40, method: 'cash', note: null };

  it('is read and written, with the older and the newer version on either side', async () => {
    const topic = fresh('json-schema');
    await createTopic(topic);
    await theyWrite(topic, theirs(v1), [first]);
    await theyWrite(topic, theirs(v2), [second]);
    await weWrite(topic, ours(topic, v1), [first]);
    await weWrite(topic, ours(topic, v2), [second]);
    expect(await weRead(topic, ours(topic, v1))).toEqual([first, second, first, second]);
    const filled = { ...first, method: 'card' };
    expect(await weRead(topic, ours(topic, v2))).toEqual([filled, second, filled, second]);
    const read = await Promise.all([v1, v2].map((version) => theyRead(topic, theirs(version), 4)));
    for (const values of read) expect(values).toEqual([first, second, first, second]);
  });
});

describe('Protobuf', () => {
  const file = (fields: string) => `
    syntax = "proto3";
    package shop;
    import "google/protobuf/timestamp.proto";
    import "google/protobuf/struct.proto";
    import "google/protobuf/wrappers.proto";
    message Before { int32 x = 1; }
    message Order {
      message Line { string article_name = 1; uint32 count = 2; }
      enum Kind { NONE = 0; CARD = 1; }
      int64 id = 1;
      Kind kind = 2;
      repeated Line lines = 3;
      oneof payment { string card = 4; Line voucher = 5; }
      google.protobuf.Timestamp placed_at = 6;
      map<string, sint64> stock = 7;
      repeated double weights = 8;
      google.protobuf.Struct extra = 9;
      google.protobuf.Int64Value rating = 10;
      optional string note = 11;
      ${fields}
    }`;
  const v1 = file('string gone = 12;');
  const v2 = file('bytes blob = 13; fixed64 serial = 14;');
  const ours = (topic: string, definition: string) =>
    protobuf<Record<string, unknown>>({
      subject: `${topic}-value`,
      definition,
      message: 'shop.Order',
      long: 'bigint',
    });
  const theirs = (schema: string) => ({ format: 'protobuf', schema, message: 'Order' }) as const;

  const line = { articleName: 'tea ☕', count: 4_000_000_000 };
  const common = {
    id: -(2n ** 62n),
    kind: 'CARD',
    lines: [line, { articleName: '', count: 0 }],
    card: null,
    voucher: line,
    placedAt: new Date('2024-02-29T12:00:00.123Z'),
    stock: { a: -5n, ü: 2n ** 60n },
    weights: [0, -1.5],
    extra: { a: [1, 'x', null, { b: true }] },
    rating: 0n,
    note: '',
  };
  const first = { ...common, gone: 'g' };
  const second = { ...common, blob: Buffer.of(0, 255), serial: 2n ** 63n };
  /** The same in Protobuf's own JSON, which has 64 bits as text and leaves out zeros. */
  const mapped = {
    id: String(common.id),
    kind: 'CARD',
    lines: [line, {}],
    voucher: line,
    placedAt: '2024-02-29T12:00:00.123Z',
    stock: { a: '-5', ü: String(2n ** 60n) },
    weights: [0, -1.5],
    extra: { a: [1, 'x', null, { b: true }] },
    rating: '0',
    note: '',
  };
  const firstMapped = { ...mapped, gone: 'g' };
  const secondMapped = { ...mapped, blob: 'AP8=', serial: String(2n ** 63n) };

  it('is read and written, with the older and the newer version on either side', async () => {
    const topic = fresh('protobuf');
    await createTopic(topic);
    await theyWrite(topic, theirs(v1), [firstMapped]);
    await theyWrite(topic, theirs(v2), [secondMapped]);
    await weWrite(topic, ours(topic, v1), [first]);
    await weWrite(topic, ours(topic, v2), [second]);
    const old = { ...common, gone: '' };
    expect(await weRead(topic, ours(topic, v1))).toEqual([first, old, first, old]);
    const recent = { ...common, blob: Buffer.alloc(0), serial: 0n };
    expect(await weRead(topic, ours(topic, v2))).toEqual([recent, second, recent, second]);
    const read = await Promise.all([v1, v2].map((version) => theyRead(topic, theirs(version), 4)));
    expect(read[0]).toEqual([firstMapped, mapped, firstMapped, mapped]);
    expect(read[1]).toEqual([mapped, secondMapped, mapped, secondMapped]);
  });
});

describe('formats without a schema', () => {
  it('CSV is read and written line by line', async () => {
    const readings = csv({ columns: { sensor: 'text', celsius: 'number?', at: 'date' } });
    const topic = fresh('csv');
    await createTopic(topic);
    await kcatWrites(topic, 'a,1.5,2024-01-02T03:04:05Z\n"b, ""c""",,2024-01-02\nbroken\n');
    expect(await weRead(topic, readings)).toEqual([
      { sensor: 'a', celsius: 1.5, at: new Date('2024-01-02T03:04:05Z') },
      { sensor: 'b, "c"', celsius: null, at: new Date('2024-01-02T00:00:00Z') },
      'not-csv',
    ]);
    const back = fresh('csv-back');
    await weWrite(back, readings, [{ sensor: 'x, y', celsius: null, at: new Date(0) }]);
    expect(await kcatReads(back)).toBe('32:"x, y",,1970-01-01T00:00:00.000Z|');
  });

  it('JSON and NDJSON', async () => {
    const topic = fresh('json');
    await createTopic(topic);
    await kcatWrites(topic, '{"a":1}\n{"a":"ü"}\n{"a":\n');
    for (const schema of [json<unknown>(), ndjson<unknown>()]) {
      expect(await weRead(topic, schema)).toEqual([{ a: 1 }, { a: 'ü' }, 'not-json']);
    }
    const back = fresh('json-back');
    await weWrite(back, json<unknown>(), [{ a: 1 }]);
    await weWrite(back, ndjson<unknown>(), [{ a: 'ü' }]);
    expect(await kcatReads(back)).toBe('7:{"a":1}|11:{"a":"ü"}\n|');
  });

  it('text and bytes', async () => {
    const topic = fresh('text');
    await createTopic(topic);
    await kcatWrites(topic, Buffer.from([0x61, 0xc3, 0xbc, 0x0a, 0xff, 0x00, 0x62, 0x0a]));
    expect(await weRead(topic, text())).toEqual(['aü', 'not-utf8']);
    expect(await weRead(topic, bytes())).toEqual([Buffer.from('aü'), Buffer.of(255, 0, 0x62)]);
    const back = fresh('text-back');
    await weWrite(back, text(), ['ein Satz']);
    await weWrite(back, bytes(), [Buffer.from('zwei')]);
    expect(await kcatReads(back)).toBe('8:ein Satz|4:zwei|');
  });
});
