import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { type Admin, Kafka, logLevel } from 'kafkajs';
import { afterAll, beforeAll } from 'vitest';
import { type Side, sides, topics } from '../../../examples/flights/names.js';
import { FlightArrivedV1 } from '../../../schemas/flight-arrived.v1.js';
import { FlightDepartedV1 } from '../../../schemas/flight-departed.v1.js';
import { openEmbedded } from '../../../src/profiles/embedded/index.js';
import { schemaTextOf } from '../../../src/schema/definition.js';
import { localRegistry } from '../../../src/schema/index.js';
import { askClickHouse } from '../../../stack/ask-clickhouse.js';
import { runBuilt } from '../../e2e/cli.js';
import { type LogRecord, schemaIdOf } from '../../e2e/records.js';
import { address } from '../address.js';
import { librdkafka } from '../kafka/world.js';

/** Where the real services are, as the command takes it from its environment. */
export const addresses = (): Readonly<Record<string, string>> =>
  Object.fromEntries(
    (['MILLRACE_KAFKA', 'MILLRACE_REDIS', 'MILLRACE_CLICKHOUSE', 'MILLRACE_REGISTRY'] as const).map((name) => [
      name,
      address(name),
    ]),
  );

export const topology = 'topologies/flight-delays.ts';
export const runLocal = ['run', topology, '--profile', 'cluster', '--until-end', '--json'];
const group = 'millrace.flight-delays';
const schemas = { departed: FlightDepartedV1, arrived: FlightArrivedV1 } as const;

/** A folder that is gone when the tests have ended. */
export async function temporaryFolder(name: string) {
  const folder = await mkdtemp(join(tmpdir(), `millrace-${name}-`));
  return { folder, remove: () => rm(folder, { recursive: true, force: true }) };
}

export const kafkajs = (): Kafka => {
  process.env.KAFKAJS_NO_PARTITIONER_WARNING = '1';
  return new Kafka({ brokers: [address('MILLRACE_KAFKA')], logLevel: logLevel.NOTHING });
};

export async function withAdmin<T>(use: (admin: Admin) => Promise<T>): Promise<T> {
  const admin = kafkajs().admin();
  await admin.connect();
  try {
    return await use(admin);
  } finally {
    await admin.disconnect();
  }
}

export async function withRedis<T>(use: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis(address('MILLRACE_REDIS'));
  try {
    return await use(redis);
  } finally {
    await redis.quit();
  }
}

/** Runs SQL over plain HTTP. */
export async function sql<T>(statement: string): Promise<T[]> {
  const response = await askClickHouse(
    address('MILLRACE_CLICKHOUSE'),
    '/?output_format_json_quote_64bit_integers=0&default_format=JSONEachRow',
    { body: statement },
  );
  const text = await response.text();
  if (!response.ok) throw new Error(`${statement}: ${text}`);
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as T);
}

async function keysOf(redis: Redis, pattern: string): Promise<string[]> {
  const keys: string[] = [];
  for await (const some of redis.scanStream({ match: pattern, count: 1_000 })) keys.push(...(some as string[]));
  return [...new Set(keys)];
}

/** Hashes of the flights, by key, as HGETALL shows them. */
export const hashes = (): Promise<ReadonlyMap<string, Readonly<Record<string, string>>>> =>
  withRedis(async (redis) => {
    const keys = await keysOf(redis, 'flight:*');
    const pipeline = redis.pipeline();
    for (const key of keys) pipeline.hgetall(key);
    const answers = (await pipeline.exec()) ?? [];
    return new Map(keys.map((key, n) => [key, answers[n]?.[1] as Record<string, string>]));
  });

const turn = 'tests:flights';
/** Longer than a file of tests takes. */
const TURN_MS = 600_000;

/** For a file of tests: begins with nothing of the flights in the services, while no other such file is at it. */
export function takeTurns(): void {
  beforeAll(async () => {
    await withRedis(async (redis) => {
      while ((await redis.set(turn, process.pid, 'PX', TURN_MS, 'NX')) === null) await sleep(200);
    });
    await clean();
  }, TURN_MS);
  afterAll(() => withRedis((redis) => redis.del(turn)));
}

/**
 * Takes away what the flights' topology, and a topology of these tests, has left in the services: its topics, group,
 * tables, hashes and fences, and nothing else.
 */
async function clean(): Promise<void> {
  const own = [...Object.values(topics), 'predictions.v1', 'flights.dead', `${group}.changelog`];
  const ownOfTests = ['events', 'events.dead', 'millrace.json-events.changelog'];
  await withAdmin(async (admin) => {
    const there = async () => (await admin.listTopics()).filter((topic) => [...own, ...ownOfTests].includes(topic));
    const found = await there();
    if (found.length > 0) await admin.deleteTopics({ topics: found });
    while ((await there()).length > 0) await sleep(50);
  });
  for (const table of ['predictions', 'arrivals', 'metrics', 'seen']) {
    await sql(`DROP VIEW IF EXISTS ${table}`);
    await sql(`DROP TABLE IF EXISTS ${table}_rows`);
  }
  await withRedis(async (redis) => {
    for (const pattern of ['flight:*', 'millrace:fence:flight-delays:*']) {
      const keys = await keysOf(redis, pattern);
      for (let at = 0; at < keys.length; at += 1_000) await redis.del(...keys.slice(at, at + 1_000));
    }
  });
}

interface Carried {
  readonly p: number;
  readonly o: number;
  readonly t: number;
  readonly k: string | null;
  readonly v: string | null;
  readonly h: readonly (readonly [string, string])[];
}

/** The committed records of a topic, as librdkafka reads them, partition by partition. */
export async function readTopic(topic: string): Promise<readonly LogRecord[]> {
  const carried = await librdkafka<readonly Carried[]>(
    `
import base64
b64 = lambda bytes: None if bytes is None else base64.b64encode(bytes).decode()
print(json.dumps([{'p': m.partition(), 'o': m.offset(), 't': m.timestamp()[1], 'k': b64(m.key()), 'v': b64(m.value()),
    'h': [[name, b64(value)] for name, value in m.headers() or []]} for m in read_committed(args[0])]))`,
    topic,
  );
  const bytes = (text: string | null) => (text === null ? null : Buffer.from(text, 'base64'));
  return carried
    .map(({ p, o, t, k, v, h }) => ({
      partition: p,
      offset: o,
      timestampMs: t,
      key: bytes(k),
      value: bytes(v),
      headers: new Map(h.map(([name, value]) => [name, Buffer.from(value, 'base64').toString()])),
    }))
    .sort((a, b) => a.partition - b.partition || a.offset - b.offset);
}

/** The id that the registry gave to a topic's schema. */
export async function registeredId(topic: string): Promise<number> {
  const response = await fetch(`${address('MILLRACE_REGISTRY')}/subjects/${topic}-value/versions/latest`);
  if (!response.ok) throw new Error(`the registry does not know ${topic}-value: ${await response.text()}`);
  return ((await response.json()) as { id: number }).id;
}

/** A value without the schema id of its wire format, in which two registries differ. */
export const withoutSchemaId = (value: Buffer | null): string | undefined =>
  value?.[0] === 0 && value.length >= 5 ? `0....${value.subarray(5).toString('base64')}` : value?.toString('base64');

/**
 * Copies both topics of the flights, as they lie in Kafka, into the log of an embedded profile: the same records in
 * the same partitions under the same offsets, only the ids of the two schemas are those of the other registry.
 */
export async function copyToEmbedded(data: string): Promise<void> {
  const registry = localRegistry();
  const store = await openEmbedded({ path: join(data, 'log'), registry });
  try {
    const producer = store.producer();
    for (const side of sides) await copyTopic(side);

    async function copyTopic(side: Side): Promise<void> {
      const topic = topics[side];
      const theirs = await registeredId(topic);
      const ours = await registry.idOf(schemas[side].subject, await schemaTextOf(schemas[side]));
      const translated = (value: Buffer | null) => {
        if (value === null || value.length < 5 || value[0] !== 0 || schemaIdOf(value) !== theirs) return value;
        const copy = Buffer.from(value);
        copy.writeInt32BE(ours, 1);
        return copy;
      };
      const log = await readTopic(topic);
      const partitions = Math.max(...log.map(({ partition }) => partition)) + 1;
      await producer.createTopic(topic, partitions);
      for (let partition = 0; partition < partitions; partition++) {
        const records = log.filter((record) => record.partition === partition);
        if (records.some(({ offset }, n) => offset !== n)) throw new Error(`${topic}/${partition} has gaps`);
        await store.append(
          topic,
          partition,
          records.map(({ key, value, timestampMs }) => ({ key, value: translated(value), timestampMs })),
        );
      }
    }
  } finally {
    await store.close();
  }
}

/** Fills the topics in Kafka by the loader of the demo, and copies them for an embedded run, which is made too. */
export async function loadedTwice(folder: string, flights: number): Promise<string> {
  const load = [
    'demo',
    '--profile',
    'cluster',
    '--load-only',
    '--limit',
    String(flights),
    '--data',
    join(folder, 'load'),
  ];
  await runBuilt(load, addresses());
  const data = join(folder, 'embedded');
  await copyToEmbedded(data);
  await runBuilt(['run', topology, '--profile', 'embedded', '--data', data, '--until-end', '--json']);
  return data;
}

/** Key and value of each record by partition, in order, schema ids and offsets aside: transactions leave gaps. */
export const sequenceOf = (log: readonly LogRecord[]): string[] =>
  log.map(({ partition, key, value }) => `${partition} ${key?.toString()} ${withoutSchemaId(value)}`);

/** Dead letters in a fixed order: with all that they say, their own offsets aside. */
export const lettersOf = (log: readonly LogRecord[]): string[] =>
  log
    .map(
      ({ partition, key, value, headers }) =>
        `${partition} ${key?.toString('hex')} ${withoutSchemaId(value)} ${JSON.stringify([...headers])}`,
    )
    .sort();
