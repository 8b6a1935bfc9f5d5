import { afterAll, beforeAll, expect, it } from 'vitest';
import { runBuilt } from '../../e2e/cli.js';
import { readEmbedded, withTables } from '../../e2e/embedded.js';
import {
  addresses,
  hashes,
  lettersOf,
  loadedTwice,
  readTopic,
  runLocal,
  sequenceOf,
  sql,
  takeTurns,
  temporaryFolder,
} from './world.js';

const FLIGHTS = 30_000;

let temporary: Awaited<ReturnType<typeof temporaryFolder>>;
takeTurns();
beforeAll(async () => {
  temporary = await temporaryFolder('two-profiles');
});
afterAll(() => temporary.remove());

it(`one log of ${FLIGHTS} flights gives the same on two profiles, bit for bit`, async () => {
  const data = await loadedTwice(temporary.folder, FLIGHTS);
  await runBuilt(runLocal, addresses());

  const embedded = await readEmbedded(data);
  const ours = (topic: string) => embedded.topics.get(topic) ?? [];
  const predictions = await readTopic('predictions.v1');
  expect(predictions).toHaveLength(FLIGHTS);
  expect(sequenceOf(predictions)).toEqual(sequenceOf(ours('predictions.v1')));

  const letters = await readTopic('flights.dead');
  expect(letters.length).toBeGreaterThan(100);
  expect(lettersOf(letters)).toEqual(lettersOf(ours('flights.dead')));

  const inRedis = await hashes();
  expect(inRedis.size).toBe(FLIGHTS);
  expect(Object.fromEntries(inRedis)).toEqual(Object.fromEntries(embedded.hashes));

  for (const statement of [
    'SELECT * FROM predictions ORDER BY flightId',
    'SELECT * FROM arrivals ORDER BY flightId',
    // Measurements belong to windows of event time. Counters are written at the end of epochs, which the clock cuts.
    "SELECT * FROM metrics WHERE NOT startsWith(name, 'counter:') ORDER BY step, task, name, eventTime",
    "SELECT step, task, name, max(value) AS value FROM metrics WHERE startsWith(name, 'counter:') GROUP BY ALL ORDER BY ALL",
  ]) {
    const rows = await sql(statement);
    expect(rows.length, statement).toBeGreaterThan(100);
    expect(rows, statement).toEqual(withTables(data, (query) => query(statement)));
  }
});
