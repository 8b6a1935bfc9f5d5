import { afterAll, beforeAll, expect, it } from 'vitest';
import { topics } from '../../../examples/flights/names.js';
import { FlightArrivedV1 } from '../../../schemas/flight-arrived.v1.js';
import { FlightDepartedV1 } from '../../../schemas/flight-departed.v1.js';
import { createInference } from '../../../src/inference/index.js';
import { resolveConfig } from '../../../src/profiles/config.js';
import { openProfile } from '../../../src/profiles/profiles.js';
import { runTopology } from '../../../src/runtime/index.js';
import { openCodec } from '../../../src/schema/index.js';
import { flightDelays } from '../../../topologies/flight-delays.js';
import { accountFor } from '../../e2e/accounting.js';
import { payloads } from '../../e2e/fuzz-payloads.js';
import { jsonEvents } from '../../e2e/json-events.js';
import { decodeArrived, decodeDeparted } from '../../e2e/records.js';
import { placesOf, placesSql } from '../../e2e/tables.js';
import { generator } from '../../random.js';
import { foreignProducer, foreignSend } from '../kafka/world.js';
import { addresses, readTopic, registeredId, sql, takeTurns, withAdmin } from './world.js';

const COUNTS = { departed: 12_000, arrived: 5_000, json: 3_000 } as const;
const topicOf = { ...topics, json: 'events' } as const;
const kinds = ['departed', 'arrived', 'json'] as const;
const PARTITIONS = 4;
const BATCH = 250;

const open = () => openProfile(resolveConfig({ flags: { profile: 'cluster' }, env: { ...addresses() } }));

async function fill(): Promise<void> {
  await withAdmin((admin) =>
    admin.createTopics({
      waitForLeaders: true,
      topics: kinds.map((kind) => ({
        topic: topicOf[kind],
        numPartitions: PARTITIONS,
        configEntries: [{ name: 'retention.ms', value: '-1' }],
      })),
    }),
  );
  const ids = { departed: await registeredId(topics.departed), arrived: await registeredId(topics.arrived) };
  const make = payloads(generator(20), ids);
  const producer = await foreignProducer();
  // A broker takes no record from the future.
  const latestMs = Date.now();
  try {
    for (const kind of kinds)
      for (let sent = 0, batch = 0; sent < COUNTS[kind]; sent += BATCH, batch++) {
        const records = Array.from({ length: BATCH }, make[kind]);
        const timely = records.map((record) => ({ ...record, timestampMs: Math.min(record.timestampMs, latestMs) }));
        await foreignSend(producer, topicOf[kind], batch % PARTITIONS, timely);
      }
  } finally {
    await producer.disconnect();
  }
}

let profile: Awaited<ReturnType<typeof open>>;
takeTurns();
beforeAll(async () => {
  profile = await open();
  await openCodec(FlightDepartedV1, profile.schemas); // registers its schema
  await openCodec(FlightArrivedV1, profile.schemas);
  await fill();
});
afterAll(() => profile.close());

it('20,000 strange payloads in Kafka are each a prediction, a duplicate, a tombstone or a dead letter', async () => {
  const inference = createInference();
  try {
    for (const topology of [flightDelays, jsonEvents])
      await (await runTopology(topology, { profile, inference, bounded: true })).finished;
  } finally {
    await inference.close();
  }
  const letters = [...(await readTopic('flights.dead')), ...(await readTopic('events.dead'))];
  const evidence = {
    departed: { table: 'predictions', idOf: (value: Buffer) => decodeDeparted(value).flightId },
    arrived: { table: 'arrivals', idOf: (value: Buffer) => decodeArrived(value).flightId },
    json: { table: 'seen', idOf: (value: Buffer) => JSON.parse(value.toString()).id },
  } as const;
  let [dead, unrepresentable] = [0, 0];
  for (const kind of kinds) {
    const topic = topicOf[kind];
    const { table, idOf } = evidence[kind];
    const accepted = placesOf(await sql(placesSql(table)));
    const { unexplained, ...account } = accountFor({ topic, log: await readTopic(topic), letters, accepted, idOf });
    console.log(kind, JSON.stringify(account));
    expect(unexplained.slice(0, 10), kind).toEqual([]);
    expect(account.read).toBe(COUNTS[kind]);
    const { accepted: out, duplicates, deadLetters, tombstones } = account;
    expect(out + duplicates + deadLetters + tombstones).toBe(account.read);
    for (const some of [out, duplicates, deadLetters, tombstones]) expect(some).toBeGreaterThan(account.read / 100);
    dead += deadLetters;
    if (kind === 'departed') unrepresentable = account.deadLettersByReason.unrepresentable ?? 0;
  }
  expect(letters).toHaveLength(dead);
  // A flight at a time that the table has no room for is predicted all the same.
  expect(unrepresentable).toBeGreaterThan(0);
  expect(await readTopic('predictions.v1')).toHaveLength(
    (await sql(placesSql('predictions'))).length + unrepresentable,
  );
});
