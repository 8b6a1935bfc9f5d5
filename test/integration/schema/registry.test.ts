import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { FlightDepartedV1 } from '../../../schemas/flight-departed.v1.js';
import {
  avro,
  confluentRegistry,
  DecodeFailure,
  jsonSchema,
  openCodec,
  openDecoder,
  protobuf,
  registerSchema,
  schemaTextOf,
} from '../../../src/schema/index.js';

const url = process.env.MILLRACE_REGISTRY;
if (url === undefined) throw new Error('MILLRACE_REGISTRY must name a running schema registry');

const raw = (value: Uint8Array) => ({ offset: 0, timestampMs: 0, key: null, value });
const record = (name: string, ...fields: object[]) => JSON.stringify({ type: 'record', name, fields });

describe('a real schema registry', () => {
  it('registers a schema once and gives its text to others', async () => {
    const subject = `${randomUUID()}-value`;
    const schema = { ...FlightDepartedV1, subject };
    const codec = await openCodec(schema, confluentRegistry({ url }));
    const again = await openCodec(schema, confluentRegistry({ url }));
    const flight = {
      flightId: 7,
      departedAt: 978_307_200_000,
      utcOffsetMinutes: -300,
      origin: 'JFK',
      destination: null,
      distance: 187,
    };
    const bytes = codec.encode(flight);
    expect(Buffer.compare(bytes, again.encode(flight))).toBe(0);
    const id = Buffer.from(bytes).readInt32BE(1);
    expect(JSON.parse((await confluentRegistry({ url }).schemaOf(id))?.text ?? '')).toMatchObject({
      name: 'FlightDeparted',
    });
  });

  it('resolves the payloads of an older version, and denies an id that it never gave', async () => {
    const subject = `${randomUUID()}-value`;
    const name = 'Event';
    const v1 = avro<unknown>({
      subject,
      definition: record(name, { name: 'id', type: 'int' }, { name: 'gone', type: 'string', default: '' }),
    });
    const v2 = avro<unknown>({
      subject,
      definition: record(
        name,
        { name: 'id', type: 'long' },
        { name: 'added', type: ['null', 'string'], default: null },
      ),
    });
    const old = (await openCodec(v1, confluentRegistry({ url }))).encode({ id: 5, gone: 'x' });
    const codec = await openCodec(v2, confluentRegistry({ url }));
    const unknown = Buffer.from(old);
    unknown.writeInt32BE(2_000_000_000, 1);
    await codec.prepare([raw(old), raw(unknown)]);
    expect({ ...(codec.decode(old) as object) }).toEqual({ id: 5, added: null });
    expect(() => codec.decode(unknown)).toThrow(DecodeFailure);
  });

  it("is read by Confluent's own deserializer, and reads what Confluent's serializer writes", async () => {
    const { SchemaRegistryClient } = await import('@confluentinc/schemaregistry/dist/schemaregistry-client.js');
    const { AvroSerializer, AvroDeserializer } = await import('@confluentinc/schemaregistry/dist/serde/avro.js');
    const { SerdeType } = await import('@confluentinc/schemaregistry/dist/serde/serde.js');
    const topic = randomUUID();
    const schema = avro<unknown>({
      subject: `${topic}-value`,
      definition: record('Ping', { name: 'n', type: 'long' }, { name: 't', type: ['null', 'string'], default: null }),
    });
    const codec = await openCodec(schema, confluentRegistry({ url }));
    const client = SchemaRegistryClient.newClient({ baseURLs: [url] });
    const theirs = new AvroDeserializer(client, SerdeType.VALUE, {});
    expect({ ...(await theirs.deserialize(topic, Buffer.from(codec.encode({ n: 3, t: 'x' })))) }).toEqual({
      n: 3,
      t: 'x',
    });
    const serializer = new AvroSerializer(client, SerdeType.VALUE, { useLatestVersion: true });
    const bytes = await serializer.serialize(topic, { n: 9, t: null });
    await codec.prepare([raw(bytes)]);
    expect({ ...(codec.decode(bytes) as object) }).toEqual({ n: 9, t: null });
  });

  it('refuses what is not compatible, with its reasons, for good', async () => {
    const subject = `${randomUUID()}-value`;
    const version = (type: string) => avro<unknown>({ subject, definition: record('E', { name: 'x', type }) });
    const registry = confluentRegistry({ url });
    await registerSchema(version('int'), registry);
    const response = await fetch(`${url}/config/${subject}`, {
      method: 'PUT',
      headers: { 'content-type': 'application/vnd.schemaregistry.v1+json' },
      body: JSON.stringify({ compatibility: 'BACKWARD' }),
    });
    expect(response.ok).toBe(true);
    const verdict = await registry.compatibility(subject, await schemaTextOf(version('string')));
    expect(verdict.compatible).toBe(false);
    expect(verdict.reasons.join()).toMatch(/STRING.*INT/);
    await expect(registerSchema(version('string'), registry)).rejects.toMatchObject({
      code: 'schema',
      permanent: true,
      message: expect.stringMatching(/STRING.*INT/),
    });
    expect(await registry.compatibility(subject, await schemaTextOf(version('long')))).toEqual({
      compatible: true,
      reasons: [],
    });
    expect(await registry.compatibility(randomUUID(), await schemaTextOf(version('int')))).toMatchObject({
      compatible: true,
    });
    expect((await registry.latest(subject))?.version).toBe(1);
    expect(await registry.latest(randomUUID())).toBeUndefined();
  });

  it('keeps what schemas refer to under subjects of its own, in every format', async () => {
    const draft = 'http://json-schema.org/draft-07/schema#';
    const [a, b, c] = [randomUUID(), randomUUID(), randomUUID()];
    const address = avro<unknown>({
      subject: `address-${a}`,
      definition: record('geo.Address', { name: 'city', type: 'string' }),
    });
    const person = avro<unknown>({
      subject: a,
      definition: record('Person', { name: 'home', type: 'geo.Address' }),
      references: { 'geo.Address': address },
    });
    const money = protobuf<unknown>({
      subject: `money-${b}`,
      message: 'm.Money',
      definition: 'syntax = "proto3"; package m; message Money { int64 cents = 1; }',
    });
    const order = protobuf<unknown>({
      subject: b,
      message: 'o.Order',
      definition: 'syntax = "proto3"; package o; import "money.proto"; message Order { m.Money total = 1; }',
      references: { 'money.proto': money },
    });
    const item = jsonSchema<unknown>({
      subject: `item-${c}`,
      definition: JSON.stringify({ $schema: draft, type: 'object', required: ['n'] }),
    });
    const list = jsonSchema<unknown>({
      subject: c,
      definition: JSON.stringify({ $schema: draft, type: 'array', items: { $ref: 'item.json' } }),
      references: { 'item.json': item },
    });
    for (const [schema, value] of [
      [person, { home: { city: 'Ulm' } }],
      [order, { total: { cents: 5 } }],
      [list, [{ n: 1 }]],
    ] as const) {
      const bytes = (await openCodec(schema, confluentRegistry({ url }))).encode(value);
      const reader = await openDecoder(schema, confluentRegistry({ url }));
      await reader.prepare([raw(bytes)]);
      expect(reader.decode(bytes)).toEqual(value);
      const found = await confluentRegistry({ url }).schemaOf(Buffer.from(bytes).readInt32BE(1));
      expect(found?.format).toBe(schema.format);
      expect(found?.references).toHaveLength(1);
    }
  });
});
