import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { FlightDepartedV1 } from '../../../schemas/flight-departed.v1.js';
import { avro, confluentRegistry, DecodeFailure, openCodec } from '../../../src/schema/index.js';

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
});
