import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { topics } from '../../examples/flights/names.js';
import { FlightArrivedV1 } from '../../schemas/flight-arrived.v1.js';
import { FlightDepartedV1 } from '../../schemas/flight-departed.v1.js';
import { createInference } from '../../src/inference/index.js';
import { resolveConfig } from '../../src/profiles/config.js';
import { openEmbedded } from '../../src/profiles/embedded/index.js';
import { openProfile } from '../../src/profiles/profiles.js';
import { runTopology } from '../../src/runtime/index.js';
import { localRegistry, openCodec } from '../../src/schema/index.js';
import { flightDelays } from '../../topologies/flight-delays.js';
import { generator } from '../random.js';
import { type Account, accountFor } from './accounting.js';
import { readEmbedded, withTables } from './embedded.js';
import { payloads } from './fuzz-payloads.js';
import { jsonEvents } from './json-events.js';
import { decodeArrived, decodeDeparted, decodePrediction, letterOf, schemaIdOf } from './records.js';
import { placesOf, placesSql } from './tables.js';

/** A million every night. */
const PAYLOADS = Math.max(250_000, Math.ceil(Number(process.env.MILLRACE_PAYLOADS ?? 0) / 50_000) * 50_000);
const COUNTS = { departed: PAYLOADS * 0.6, arrived: PAYLOADS * 0.2, json: PAYLOADS * 0.2 } as const;
const PARTITIONS = 4;
const BATCH = 10_000;

let data: string;
beforeAll(async () => {
  data = await mkdtemp(join(tmpdir(), 'millrace-fuzz-'));
});
afterAll(() => rm(data, { recursive: true, force: true }));

/** The id under which a schema's values stand in the log. */
async function idsOf(registry: ReturnType<typeof localRegistry>) {
  const departed = await openCodec(FlightDepartedV1, registry);
  const arrived = await openCodec(FlightArrivedV1, registry);
  const flight = { flightId: 1, departedAt: 0, utcOffsetMinutes: 0, origin: null, destination: null, distance: null };
  return {
    departed: schemaIdOf(Buffer.from(departed.encode(flight))),
    arrived: schemaIdOf(Buffer.from(arrived.encode({ flightId: 1, arrivedAt: 0, delayMinutes: 0 }))),
  };
}

async function fill(): Promise<void> {
  const registry = localRegistry();
  const store = await openEmbedded({ path: join(data, 'log'), registry });
  try {
    const make = payloads(generator(6), await idsOf(registry));
    const producer = store.producer();
    for (const [kind, topic] of [...Object.entries(topics), ['json', 'events']] as [
      'departed' | 'arrived' | 'json',
      string,
    ][]) {
      await producer.createTopic(topic, PARTITIONS);
      for (let sent = 0, batch = 0; sent < COUNTS[kind]; sent += BATCH, batch++)
        await store.append(topic, batch % PARTITIONS, Array.from({ length: BATCH }, make[kind]));
    }
  } finally {
    await store.close();
  }
}

async function run(): Promise<void> {
  const profile = await openProfile(resolveConfig({ flags: { profile: 'embedded', data } }));
  const inference = createInference();
  try {
    for (const topology of [flightDelays, jsonEvents])
      await (await runTopology(topology, { profile, inference, bounded: true })).finished;
  } finally {
    await inference.close();
    await profile.close();
  }
}

it(`${PAYLOADS.toLocaleString('en-US')} strange payloads are each a prediction, a duplicate, a tombstone or a dead letter`, async () => {
  await fill();
  await run();
  const { topics: logs } = await readEmbedded(data);
  const logOf = (topic: string) => logs.get(topic) ?? [];
  const rows = withTables(data, (sql) => sql<{ flightId: number }>('SELECT flightId FROM predictions'));
  const accepted = withTables(data, (sql) => {
    const placesIn = (table: string) => placesOf(sql(placesSql(table)));
    return { departed: placesIn('predictions'), arrived: placesIn('arrivals'), json: placesIn('seen') };
  });
  const account = (kind: keyof typeof COUNTS, topic: string, dead: string, idOf: (value: Buffer) => string | number) =>
    accountFor({ topic, log: logOf(topic), letters: logOf(dead), accepted: accepted[kind], idOf });
  const accounts: Record<keyof typeof COUNTS, Account> = {
    departed: account('departed', topics.departed, 'flights.dead', (value) => decodeDeparted(value).flightId),
    arrived: account('arrived', topics.arrived, 'flights.dead', (value) => decodeArrived(value).flightId),
    json: account('json', 'events', 'events.dead', (value) => JSON.parse(value.toString()).id),
  };
  console.log(
    Object.entries(accounts)
      .map(([kind, { unexplained, ...counts }]) => `${kind} ${JSON.stringify(counts)}`)
      .join('\n'),
  );
  for (const kind of ['departed', 'arrived', 'json'] as const) {
    const { read, accepted: out, duplicates, deadLetters, tombstones, unexplained } = accounts[kind];
    expect(unexplained.slice(0, 10), kind).toEqual([]);
    expect(read).toBe(COUNTS[kind]);
    expect(out + duplicates + deadLetters + tombstones).toBe(read);
    for (const some of [out, duplicates, deadLetters, tombstones]) expect(some).toBeGreaterThan(read / 100);
  }
  expect(logOf('flights.dead')).toHaveLength(accounts.departed.deadLetters + accounts.arrived.deadLetters);
  expect(logOf('events.dead')).toHaveLength(accounts.json.deadLetters);
  // A flight at a time that the table has no room for is predicted all the same.
  const unrepresentable = logOf('flights.dead').filter((letter) => {
    const { place, reason } = letterOf(letter);
    return reason === 'unrepresentable' && place.startsWith(`${topics.departed}/`);
  });
  expect(unrepresentable.length).toBeGreaterThan(PAYLOADS / 10_000);
  expect(logOf('predictions.v1')).toHaveLength(accounts.departed.accepted + unrepresentable.length);
  // The most absurd id is the same number wherever it is written.
  const numbers = (ids: readonly number[]) => [...ids].sort((a, b) => a - b).join(' ');
  const predicted = logOf('predictions.v1').map(({ value }) => decodePrediction(value as Buffer).flightId);
  const untold = unrepresentable.map(({ value }) => decodeDeparted(value as Buffer).flightId);
  expect(numbers([...rows.map(({ flightId }) => flightId), ...untold]) === numbers(predicted)).toBe(true);
  expect(predicted.includes(-(2 ** 52 - 1))).toBe(true);
  expect(Object.keys(accounts.departed.deadLettersByReason).length).toBeGreaterThanOrEqual(10);
}, 900_000);
