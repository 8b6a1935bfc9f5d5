import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { SchemaRegistryClient } from '@confluentinc/schemaregistry/dist/schemaregistry-client.js';
import { AvroDeserializer, AvroSerializer } from '@confluentinc/schemaregistry/dist/serde/avro.js';
import { SerdeType } from '@confluentinc/schemaregistry/dist/serde/serde.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Flights } from '../../../examples/flights/flights.js';
import { sides, topics } from '../../../examples/flights/names.js';
import { runBuilt } from '../../e2e/cli.js';
import { arrivalOf, departureOf, firstFlights } from '../../e2e/real-flights.js';
import { decodeArrived, decodeDeparted, decodePrediction, encoded, type PredictionValue } from '../../e2e/records.js';
import { address } from '../address.js';
import { librdkafka } from '../kafka/world.js';
import {
  addresses,
  kafkajs,
  readTopic,
  registeredId,
  runLocal,
  sql,
  takeTurns,
  temporaryFolder,
  withRedis,
} from './world.js';

const run = promisify(execFile);

/** Which flights come from which client; ids are ends of ranges, exclusive. */
const ENDS = { loader: 5_000, kcat: 5_040, python: 5_240, confluent: 5_440 } as const;

let flights: Flights;
let temporary: Awaited<ReturnType<typeof temporaryFolder>>;

const range = (from: number, to: number) => Array.from({ length: to - from }, (_, n) => from + n);
const valuesOf = (id: number) => ({ departed: departureOf(flights, id), arrived: arrivalOf(flights, id) });

/** One file a message and one call a key: how kcat takes bytes that hold any delimiter. */
async function produceByKcat(ids: readonly number[]): Promise<void> {
  for (const side of sides) {
    const schemaId = await registeredId(topics[side]);
    const byKey = new Map<string, string[]>();
    for (const id of ids) {
      const { [side]: value, departed } = valuesOf(id);
      const key = departed.origin ?? '';
      const file = join(temporary.folder, 'kcat', `${side}-${id}`);
      await writeFile(file, encoded(side, schemaId, value));
      byKey.set(key, [...(byKey.get(key) ?? []), file]);
    }
    for (const [key, files] of byKey) {
      const how = ['-X', 'topic.partitioner=murmur2_random', '-k', key];
      await run('kcat', ['-P', '-b', address('MILLRACE_KAFKA'), '-t', topics[side], ...how, ...files]);
    }
  }
}

/** librdkafka's Python client with Confluent's serializer for Python, by the schema that the registry holds. */
async function produceByPython(ids: readonly number[]): Promise<void> {
  const file = join(temporary.folder, 'python.json');
  const records = ids.map((id) => ({ key: departureOf(flights, id).origin, ...valuesOf(id) }));
  await writeFile(file, JSON.stringify(records));
  const sent = await librdkafka<number>(
    `
import datetime
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroSerializer
from confluent_kafka.serialization import SerializationContext, MessageField
file, registry, departed, arrived = args
client = SchemaRegistryClient({'url': registry})
producer = Producer({'bootstrap.servers': broker, 'partitioner': 'murmur2_random', 'compression.type': 'lz4'})
records = json.load(open(file))
for topic, side in ((departed, 'departed'), (arrived, 'arrived')):
    serialize = AvroSerializer(client, conf={'auto.register.schemas': False, 'use.latest.version': True})
    for record in records:
        value = serialize(record[side], SerializationContext(topic, MessageField.VALUE))
        producer.produce(topic, key=record['key'], value=value, on_delivery=fail)
assert producer.flush(20) == 0
print(2 * len(records))`,
    file,
    address('MILLRACE_REGISTRY'),
    topics.departed,
    topics.arrived,
  );
  expect(sent).toBe(2 * ids.length);
}

/** kafkajs with Confluent's serializer for JavaScript. */
async function produceByConfluent(ids: readonly number[]): Promise<void> {
  const client = SchemaRegistryClient.newClient({ baseURLs: [address('MILLRACE_REGISTRY')] });
  const serializer = new AvroSerializer(client, SerdeType.VALUE, {
    useLatestVersion: true,
    autoRegisterSchemas: false,
  });
  const producer = kafkajs().producer();
  await producer.connect();
  try {
    for (const side of sides) {
      const messages = [];
      for (const id of ids) {
        const { [side]: value, departed } = valuesOf(id);
        messages.push({ key: departed.origin, value: await serializer.serialize(topics[side], value) });
      }
      await producer.send({ topic: topics[side], messages });
    }
  } finally {
    await producer.disconnect();
  }
}

let predictions: ReadonlyMap<number, PredictionValue>;

takeTurns();
beforeAll(async () => {
  temporary = await temporaryFolder('foreign');
  await mkdir(join(temporary.folder, 'kcat'));
  flights = await firstFlights(ENDS.confluent);
  const load = ['--load-only', '--clean', '--limit', String(ENDS.loader), '--data', join(temporary.folder, 'load')];
  await runBuilt(['demo', '--profile', 'cluster', ...load], addresses());
  await produceByKcat(range(ENDS.loader, ENDS.kcat));
  await produceByPython(range(ENDS.kcat, ENDS.python));
  await produceByConfluent(range(ENDS.python, ENDS.confluent));
  await runBuilt(runLocal, addresses());
  const found = (await readTopic('predictions.v1')).map(({ value }) => decodePrediction(value as Buffer));
  predictions = new Map(found.map((prediction) => [prediction.flightId, prediction]));
  expect(found).toHaveLength(predictions.size);
});
afterAll(() => temporary.remove());

describe('flights written by the loader, kcat, confluent-kafka for Python, and kafkajs with Confluent serializers', () => {
  it('lie in the partitions that their keys ask for, whoever wrote them', async () => {
    const partitionOf = new Map<string, number>();
    for (const topic of Object.values(topics))
      for (const { key, partition } of await readTopic(topic)) {
        const origin = key?.toString() ?? '';
        expect(partition, origin).toBe(partitionOf.get(origin) ?? partition);
        partitionOf.set(origin, partition);
      }
    expect(partitionOf.size).toBeGreaterThan(100);
  });

  it('have the bytes that plain Avro gives', async () => {
    const decoders = { departed: decodeDeparted, arrived: decodeArrived };
    for (const side of sides) {
      const schemaId = await registeredId(topics[side]);
      for (const { value } of await readTopic(topics[side])) {
        const read = decoders[side](value as Buffer);
        const expected = encoded(side, schemaId, valuesOf(read.flightId)[side]);
        expect(value?.toString('hex')).toBe(expected.toString('hex'));
      }
    }
  });

  it('each have one prediction, and each label is learned', async () => {
    expect([...predictions.keys()].sort((a, b) => a - b)).toEqual(range(0, ENDS.confluent));
    const rows = await sql<{ total: number }>(
      `SELECT sum(last) AS total FROM (
         SELECT max(value) AS last FROM metrics WHERE step = 'delay-model' AND name = 'counter:learned' GROUP BY task)`,
    );
    expect(rows).toEqual([{ total: ENDS.confluent }]);
    expect(await readTopic('flights.dead')).toEqual([]);
  });
});

describe('their predictions', () => {
  const sample = () => [0, ENDS.loader, ENDS.kcat, ENDS.python, ENDS.confluent - 1].map((id) => predictions.get(id));

  it('are read by kcat, whose serdes find the magic byte and the schema id in front', async () => {
    const how = ['-C', '-e', '-q', '-X', 'isolation.level=read_committed', '-s', 'value=>bI', '-f', '%k %s %S\\n'];
    const { stdout } = await run('kcat', [...how, '-b', address('MILLRACE_KAFKA'), '-t', 'predictions.v1']);
    const lines = stdout.trim().split('\n');
    expect(lines).toHaveLength(ENDS.confluent);
    const schemaId = await registeredId('predictions.v1');
    for (const line of lines) expect(line).toMatch(new RegExp(`^[A-Z]{3} 0${schemaId} \\d+$`));
  });

  it("are read by Confluent's deserializers for JavaScript and Python", async () => {
    const client = SchemaRegistryClient.newClient({ baseURLs: [address('MILLRACE_REGISTRY')] });
    const deserializer = new AvroDeserializer(client, SerdeType.VALUE, {});
    const byJavaScript = new Map<number, unknown>();
    for (const { value } of await readTopic('predictions.v1')) {
      const read = (await deserializer.deserialize('predictions.v1', value as Buffer)) as PredictionValue;
      byJavaScript.set(read.flightId, { ...read, departedAt: Number(read.departedAt) });
    }
    const byPython = await librdkafka<readonly PredictionValue[]>(
      `
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer
from confluent_kafka.serialization import SerializationContext, MessageField
deserialize = AvroDeserializer(SchemaRegistryClient({'url': args[0]}))
context = SerializationContext('predictions.v1', MessageField.VALUE)
millis = lambda time: round(time.timestamp() * 1000)
print(json.dumps([{**value, 'departedAt': millis(value['departedAt'])}
    for value in (deserialize(m.value(), context) for m in read_committed('predictions.v1'))]))`,
      address('MILLRACE_REGISTRY'),
    );
    expect(byPython).toHaveLength(predictions.size);
    for (const prediction of byPython) expect(prediction).toEqual(predictions.get(prediction.flightId));
    for (const [flightId, read] of byJavaScript) expect(read).toEqual(predictions.get(flightId));
  });

  it('are in Redis', async () => {
    await withRedis(async (redis) => {
      for (const prediction of sample()) {
        const fields = Object.entries(prediction ?? {}).filter(([, field]) => field !== null);
        expect(await redis.hgetall(`flight:${prediction?.flightId}`)).toEqual(
          Object.fromEntries(fields.map(([name, field]) => [name, String(field)])),
        );
        const ttlMs = await redis.pttl(`flight:${prediction?.flightId}`);
        expect(ttlMs).toBeGreaterThan(5 * 3_600_000);
        expect(ttlMs).toBeLessThanOrEqual(6 * 3_600_000);
      }
    });
  });

  it('are in ClickHouse, by the SQL that the embedded tables take', async () => {
    const rows = await sql<PredictionValue>(
      `SELECT flightId, origin, destination, toUnixTimestamp64Milli(departedAt) AS departedAt, late, hourRate, lastClass,
         majority, modelVersion, risk, riskModel, degraded, featuresDigest FROM predictions ORDER BY flightId`,
    );
    expect(rows).toEqual([...predictions.values()].sort((a, b) => a.flightId - b.flightId));
  });
});
