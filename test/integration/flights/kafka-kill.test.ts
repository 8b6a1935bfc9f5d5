import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { runBuilt, startBuilt } from '../../e2e/cli.js';
import { readEmbedded } from '../../e2e/embedded.js';
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
  withAdmin,
} from './world.js';

const FLIGHTS = 30_000;
/** Shares of the predictions at which the process is killed. */
const KILLS_AT = [0.02, 0.25, 0.5, 0.75];

let temporary: Awaited<ReturnType<typeof temporaryFolder>>;
takeTurns();
beforeAll(async () => {
  temporary = await temporaryFolder('kafka-kill');
});
afterAll(() => temporary.remove());

it(`kill -9 of a run on Kafka, ${KILLS_AT.length} times, loses nothing, doubles nothing and changes no bit`, async () => {
  const data = await loadedTwice(temporary.folder, FLIGHTS);
  const undisturbed = await readEmbedded(data);

  await withAdmin(async (admin) => {
    /** Predictions in the topic, committed or not; none while it is being made. */
    const written = async () => {
      const ends = await admin.fetchTopicOffsets('predictions.v1').catch(() => []);
      return ends.reduce((sum, { high }) => sum + Number(high), 0);
    };
    for (const share of KILLS_AT) {
      const run = startBuilt(runLocal, addresses());
      const ended = run.ended.then(({ err }) => {
        if (run.child.signalCode !== 'SIGKILL') throw new Error(`it ended before it was killed at ${share}: ${err}`);
      });
      const killing = (async () => {
        while ((await written()) < share * FLIGHTS && run.child.exitCode === null) await sleep(20);
        run.child.kill('SIGKILL');
      })();
      await Promise.all([ended, killing]);
    }
  });
  await runBuilt(runLocal, addresses());

  const ours = (topic: string) => undisturbed.topics.get(topic) ?? [];
  expect(sequenceOf(await readTopic('predictions.v1'))).toEqual(sequenceOf(ours('predictions.v1')));
  expect(lettersOf(await readTopic('flights.dead'))).toEqual(lettersOf(ours('flights.dead')));
  expect(Object.fromEntries(await hashes())).toEqual(Object.fromEntries(undisturbed.hashes));
  const [counted] = await sql<Record<string, number>>(
    'SELECT count() AS rows, uniqExact(flightId) AS flights FROM predictions',
  );
  expect(counted).toEqual({ rows: FLIGHTS, flights: FLIGHTS });
}, 600_000);
