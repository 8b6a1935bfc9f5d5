import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Embedded, openEmbedded } from '../../src/profiles/embedded/index.js';
import { avro, json, jsonSchema, localRegistry, openCodec, protobuf } from '../../src/schema/index.js';
import { onlyFieldsOf } from '../../src/schema/shape/index.js';
import { readNdjson } from '../../src/topics/ndjson.js';
import { produce } from '../../src/topics/produce.js';
import { readTopic } from '../../src/topics/read-topic.js';
import { shown } from '../../src/topics/tail.js';

const PaymentV1 = avro<unknown>({
  subject: 'payments-value',
  definition: JSON.stringify({
    type: 'record',
    name: 'Payment',
    fields: [
      { name: 'id', type: 'string' },
      { name: 'paidAt', type: { type: 'long', logicalType: 'timestamp-millis' } },
    ],
  }),
});

const lines = (...values: unknown[]) => readNdjson(Readable.from(values.map((value) => `${JSON.stringify(value)}\n`)));

describe('readNdjson', () => {
  const read = async (text: string) => {
    const values = [];
    for await (const value of readNdjson(Readable.from([text]))) values.push(value);
    return values;
  };

  it('numbers lines as editors do, and skips blank ones', async () => {
    expect(await read('{"a":1}\r\n\n  \n[2]\n"last"')).toEqual([
      { line: 1, text: '{"a":1}', value: { a: 1 } },
      { line: 4, text: '[2]', value: [2] },
      { line: 5, text: '"last"', value: 'last' },
    ]);
  });

  it('names the line that is not JSON', async () => {
    await expect(read('{}\n{"a":\n')).rejects.toMatchObject({ code: 'config', where: 'line 2' });
  });
});

describe('readNdjson, on bytes', () => {
  const read = async (...chunks: Buffer[]) => {
    const values = [];
    for await (const { value } of readNdjson(Readable.from(chunks))) values.push(value);
    return values;
  };

  it('passes over a byte order mark', async () => {
    expect(await read(Buffer.from('\ufeff{"a":1}\n'))).toEqual([{ a: 1 }]);
  });

  it('joins lines and characters that lie in several chunks', async () => {
    const bytes = Buffer.from('{"a":"ü\u2028"}\n{"a":"é"}');
    const chunks = Array.from(bytes, (_, at) => bytes.subarray(at, at + 1));
    expect(await read(...chunks)).toEqual([{ a: 'ü\u2028' }, { a: 'é' }]);
  });

  it('names the line that is not UTF-8', async () => {
    const bytes = Buffer.concat([Buffer.from('{"a":1}\n'), Buffer.from('{"a":"\xfc"}', 'latin1')]);
    await expect(read(bytes)).rejects.toMatchObject({ code: 'config', message: 'not UTF-8', where: 'line 2' });
  });
});

describe('produce and tail', () => {
  let folder: string;
  let embedded: Embedded;
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'millrace-produce-'));
    embedded = await openEmbedded({ path: folder, registry: localRegistry() });
  });
  afterEach(async () => {
    await embedded.close();
    rmSync(folder, { recursive: true });
  });

  const write = async (
    values: ReturnType<typeof lines>,
    fields: { key?: string; time?: string; partitions?: number } = { partitions: 2 },
  ) =>
    produce(embedded.producer(), values, {
      topic: 'payments',
      partitions: fields.partitions,
      codec: await openCodec(PaymentV1, embedded.schemas),
      fields: await onlyFieldsOf(PaymentV1),
      keyField: fields.key,
      timeField: fields.time,
      nowMs: 42,
    });
  const read = async (schema = PaymentV1) => {
    const profile = { name: 'embedded', sources: { kafka: embedded.source }, offsetsAt: embedded.offsetsAt };
    const codec = await openCodec(schema, embedded.schemas);
    const records = [];
    for await (const record of readTopic(profile, 'payments')) records.push(await shown(record, codec));
    return records;
  };

  it('gives back what was put in, with key and time', async () => {
    const payments = [
      { id: 'a', paidAt: 1_000 },
      { id: 'b', paidAt: 2_000 },
      { id: 'a', paidAt: 3_000 },
    ];
    expect(await write(lines(...payments), { key: 'id', time: 'paidAt', partitions: 2 })).toBe(3);
    const records = await read();
    expect(records.map(({ value }) => value)).toEqual(expect.arrayContaining(payments));
    expect(records).toHaveLength(3);
    const ofA = records.filter(({ key }) => key === 'a');
    expect(ofA.map(({ timestamp }) => timestamp)).toEqual(['1970-01-01T00:00:01.000Z', '1970-01-01T00:00:03.000Z']);
    expect(new Set(ofA.map(({ partition }) => partition)).size).toBe(1);
  });

  it('leaves a topic its partitions, and gives a new one a single one, where no number is given', async () => {
    await write(lines({ id: 'a', paidAt: 1 }), { partitions: 3 });
    await write(lines({ id: 'b', paidAt: 2 }), {});
    expect(await embedded.endOffsets('payments')).toHaveLength(3);
    await expect(write(lines(), { partitions: 1 })).rejects.toMatchObject({
      ...{ code: 'config', message: 'topic payments has 3 partitions, not 1' },
    });
    await embedded.producer().createTopic('others', undefined);
    expect(await embedded.endOffsets('others')).toHaveLength(1);
  });

  it.each([[0], [10_001]])('refuses %d partitions', async (partitions) => {
    await expect(write(lines(), { partitions })).rejects.toMatchObject({
      ...{ code: 'config', where: 'payments', message: expect.stringMatching(/^a topic cannot have /) },
    });
  });

  it.each([[''], ['bad topic/../x'], ['..']])('refuses a topic of the name %j', async (name) => {
    const made = embedded.producer().createTopic(name, 1);
    await expect(made).rejects.toMatchObject({ code: 'config', message: `'${name}' cannot be the name of a topic` });
  });

  it('writes plain JSON as it is read, so that no number is rounded', async () => {
    const text = '{"id": 9007199254740993, "of": [1.10, 12345678901234567890]}';
    const schema = json<unknown>({ subject: 'payments-value' });
    const options = {
      topic: 'payments',
      codec: await openCodec(schema, embedded.schemas),
      keyField: undefined,
      timeField: undefined,
      nowMs: 42,
    };
    const given = (line: string) => readNdjson(Readable.from([line]));
    await produce(embedded.producer(), given(` ${text}\r\n`), { ...options, asRead: true });
    const profile = { name: 'embedded', sources: { kafka: embedded.source }, offsetsAt: embedded.offsetsAt };
    const written = [];
    for await (const { record } of readTopic(profile, 'payments')) written.push(String(record.value));
    expect(written).toEqual([text]);
    await expect(
      produce(embedded.producer(), given('{"id":1e999}'), { ...options, asRead: true }),
    ).rejects.toMatchObject({ code: 'schema', where: 'line 1' });
  });

  it('refuses a number as a key that is rounded, with its line', async () => {
    const values = readNdjson(
      Readable.from(['{"id":"a","paidAt":9007199254740991}\n{"id":"a","paidAt":9007199254740993}']),
    );
    await expect(write(values, { key: 'paidAt' })).rejects.toMatchObject({
      ...{ code: 'schema', where: 'line 2', message: '"paidAt" is no key: numbers from 2^53 on are rounded' },
      hint: 'write it as a text, so that different keys stay different',
    });
  });

  it('refuses an object as a key, with its line', async () => {
    const nested = write(lines({ id: 'a', paidAt: 1 }, { id: { b: 1 }, paidAt: 2 }), { key: 'id' });
    await expect(nested).rejects.toMatchObject({ code: 'schema', where: 'line 2', message: '"id" is no key: {"b":1}' });
  });

  it('takes a time in ISO 8601, and now where none is asked for', async () => {
    await write(lines({ id: 'a', paidAt: 1 }), {});
    expect((await read())[0]).toMatchObject({ timestamp: '1970-01-01T00:00:00.042Z', key: null });
  });

  it('refuses a field that the schema spells otherwise, and takes one that it does not know at all', async () => {
    await expect(write(lines({ id: 'a', paidAt: 1 }, { id: 'b', paid_at: 2 }))).rejects.toMatchObject({
      ...{ code: 'schema', where: 'line 2', message: expect.stringContaining('no field "paid_at" in the schema') },
      hint: 'it has "paidAt"',
    });
    expect(await write(lines({ id: 'a', paidAt: 1, paid_at: 2, note: 'x' }))).toBe(1);
  });

  it('knows which formats leave fields out', async () => {
    const definition = 'syntax = "proto3"; message Visit { string visit_id = 1; }';
    expect(await onlyFieldsOf(protobuf({ subject: 'v', definition, message: 'Visit' }))).toEqual(['visitId']);
    const properties = { visitId: { type: 'string' } };
    const open = JSON.stringify({ type: 'object', properties });
    expect(await onlyFieldsOf(jsonSchema({ subject: 'v', definition: open }))).toEqual([]);
    expect(await onlyFieldsOf(json({ subject: 'v' }))).toEqual([]);
  });

  it('carries more than one batch', async () => {
    const many = Array.from({ length: 2_500 }, (_, index) => ({ id: `p${index}`, paidAt: index }));
    expect(await write(lines(...many), { key: 'id' })).toBe(2_500);
    expect(new Set((await read()).map(({ key }) => key)).size).toBe(2_500);
  });

  it('names the line that does not fit the schema, or lacks its key or time', async () => {
    const good = { id: 'a', paidAt: 1 };
    await expect(write(lines(good, { id: 7 }))).rejects.toMatchObject({ code: 'schema', where: 'line 2' });
    await expect(write(lines(good), { key: 'card' })).rejects.toMatchObject({
      where: 'line 1',
      message: 'no field "card"',
    });
    await expect(write(lines({ id: 'soon', paidAt: 1 }), { time: 'id' })).rejects.toMatchObject({
      message: '"id" is not a time: "soon"',
    });
  });

  it('says how many records were written before an error in the middle', async () => {
    const many = Array.from({ length: 2_500 }, (_, index) => ({ id: `p${index}`, paidAt: index }));
    await expect(write(lines(...many, { id: 7 }))).rejects.toMatchObject({
      code: 'schema',
      where: 'line 2501',
      message: expect.stringContaining('(2000 records before it are written)'),
    });
  });

  it.each([
    [-1, { id: 'a', paidAt: -1 }, 'paidAt'],
    [1e15, { id: 'a', paidAt: 1e15 }, 'paidAt'],
    ['+275760-09-13', { id: '+275760-09-13', paidAt: 1 }, 'id'],
  ])('refuses %s as a time', async (at, value, time) => {
    await expect(write(lines(value), { time })).rejects.toMatchObject({
      message: `"${time}" is not a time: ${JSON.stringify(at)}`,
      hint: 'milliseconds since 1970, or ISO 8601, up to the year 9999',
    });
  });

  it('shows what does not decode as it lies there', async () => {
    await embedded.producer().createTopic('payments', 2);
    await embedded.producer().send('payments', [
      { key: null, value: Buffer.from('not Avro'), timestampMs: 0, headers: [['millrace.reason', Buffer.from('odd')]] },
      { key: null, value: null, timestampMs: 0 },
    ]);
    const records = await read();
    expect(records.map(({ value }) => value).sort()).toEqual(['not Avro', null].sort());
    expect(records.find(({ value }) => value !== null)).toMatchObject({
      undecoded: true,
      headers: { 'millrace.reason': 'odd' },
    });
    expect((await read(json())).find(({ value }) => value !== null)).toMatchObject({ undecoded: true });
  });
});
