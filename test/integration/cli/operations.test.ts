import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Kafka } from '../../../connectors/kafka/open.js';
import { lagOf, planReset } from '../../../src/checkpoints/offsets.js';
import { savepointFile } from '../../../src/checkpoints/savepoint-files.js';
import { createSavepoint, restoreSavepoint } from '../../../src/checkpoints/savepoints.js';
import { storedTasks } from '../../../src/checkpoints/stored-state.js';
import type { OpenProfile } from '../../../src/profiles/profiles.js';
import { runTopology } from '../../../src/runtime/index.js';
import { letterOf } from '../../../src/topics/dead-letters.js';
import { followTopic, readTopic } from '../../../src/topics/read-topic.js';
import { replay } from '../../../src/topics/replay.js';
import { planState } from '../../../src/topology/index.js';
import {
  events,
  feed,
  freshWorld,
  type JobNames,
  job,
  namesOf,
  PARTITIONS,
  runToEnd,
  textsIn,
} from '../../cli/operations.js';
import { deleteBefore, fresh, open, settled } from '../kafka/world.js';

const prefix = fresh('ops');
let kafka: Kafka;
let local: OpenProfile;
const used: JobNames[] = [];

const profileOf = (log: Kafka): OpenProfile => ({
  name: 'cluster',
  sources: { kafka: log.source },
  sinks: { kafka: log.topicSink },
  openLedger: (task) => log.openLedger(task),
  join: (member) => log.join(member),
  schemas: {
    idOf: () => Promise.reject(new Error('no schema here has an id')),
    knownIdOf: async () => undefined,
    schemaOf: async () => undefined,
    latest: async () => undefined,
  },
  producer: () => log.producer(),
  endOffsets: (topic) => log.endOffsets(topic),
  logEnds: async (topic) => (await log.endOffsets(topic)).map((end) => ({ end, stableEnd: end })),
  offsetsAt: (topic, point) => log.offsetsAt(topic, point),
  checkpoints: log.checkpoints,
  connect: () => Promise.reject(new Error('there is no connector here')),
  driver: () => Promise.reject(new Error('there is no connector here')),
  removal: { topic: async () => undefined, topology: async () => undefined },
  close: () => log.close(),
});

beforeAll(async () => {
  kafka = await open({ prefix });
  local = profileOf(kafka);
});
afterAll(async () => {
  for (const { name, input, output, dead } of used) {
    for (const topic of [input, output, dead, `${prefix}.${name}.changelog`]) await kafka.deleteTopic(topic);
  }
  await kafka.close();
});

function newJob() {
  const names = namesOf(fresh('job'));
  used.push(names);
  return { names, topology: job(names) };
}

/** Runs to the end and waits until all of it can be read. */
async function run(topology: ReturnType<typeof job>, acceptPlan = false): Promise<void> {
  await runToEnd(local, topology, acceptPlan);
  await settled(prefix);
}

const nowMs = 0;
const toEarliest = { to: 'earliest', source: undefined, dropState: false } as const;

describe('operations on Kafka', () => {
  it('a savepoint goes from the embedded store to Kafka and back, and every output is that of one undisturbed run', async () => {
    const { names, topology } = newJob();
    const thirds = [events(0, 400), events(400, 700), events(700, 1_100)] as const;
    const [whole, start, end] = [await freshWorld(), await freshWorld(), await freshWorld()];
    try {
      for (const part of thirds) await feed(whole.profile, names, part);
      await runToEnd(whole.profile, topology);
      const expected = await textsIn(whole.profile, names.output);

      await feed(start.profile, names, thirds[0]);
      await runToEnd(start.profile, topology);
      await createSavepoint(start.profile, topology, { name: 'first', data: start.data, nowMs });

      for (const part of thirds.slice(0, 2)) await feed(local, names, part);
      const first = { file: savepointFile(start.data, 'first'), positions: 'keep' } as const;
      expect(await restoreSavepoint(local, topology, first)).toEqual({ incarnation: 1, tasks: PARTITIONS });
      await settled(prefix);
      expect((await lagOf(local, topology)).map(({ lag }) => lag)).toEqual([150, 150]);
      await run(topology);
      await createSavepoint(local, topology, { name: 'second', data: start.data, nowMs });

      for (const part of thirds) await feed(end.profile, names, part);
      const second = { file: savepointFile(start.data, 'second'), positions: 'keep' } as const;
      expect(await restoreSavepoint(end.profile, topology, second)).toEqual({ incarnation: 2, tasks: PARTITIONS });
      await runToEnd(end.profile, topology);

      const parts = [
        await textsIn(start.profile, names.output),
        await textsIn(local, names.output),
        await textsIn(end.profile, names.output),
      ];
      for (const part of parts) expect(part.flat().length).toBeGreaterThan(100);
      expect(expected.map((_, p) => parts.flatMap((part) => part[p] ?? []))).toEqual(expected);

      // The state too, bit for bit: but for the incarnation an undisturbed run left the same.
      const stateOf = async (profile: OpenProfile) =>
        (await storedTasks(profile, topology)).map(({ state }) =>
          state
            .map(
              ({ step, cell, bucket, bytes }) =>
                `${step}/${cell}/${bucket} ${Buffer.from(bytes ?? []).toString('hex')}`,
            )
            .sort(),
        );
      expect(await stateOf(end.profile)).toEqual(await stateOf(whole.profile));
    } finally {
      for (const world of [whole, start, end]) await world.remove();
    }
  });

  it('records that were deleted before they were read stop a run at once; a reset goes on with what is left', async () => {
    const { names, topology } = newJob();
    await feed(local, names, events(0, 100));
    await run(topology);
    await feed(local, names, events(100, 200));
    const next = (await lagOf(local, topology))[0]?.position ?? 0;
    await deleteBefore(names.input, 0, next + 10);
    await expect(run(topology)).rejects.toMatchObject({
      code: 'source',
      permanent: true,
      message: expect.stringContaining(`offset ${next} of ${names.input}/0 is gone`),
      hint: expect.stringContaining('10 records were deleted'),
    });
    await vi.waitFor(async () => (await planReset(local, topology, toEarliest)).apply(), 20_000);
    await settled(prefix);
    await run(topology);
    const whole = await freshWorld();
    try {
      for (const part of [events(0, 100), events(100, 200)]) await feed(whole.profile, names, part);
      await runToEnd(whole.profile, topology);
      const ids = (texts: readonly string[] = []) => texts.map((text) => (JSON.parse(text) as { id: string }).id);
      const [undisturbed, actual] = [await textsIn(whole.profile, names.output), await textsIn(local, names.output)];
      const missing = ids(undisturbed[0]).filter((id) => !ids(actual[0]).includes(id));
      expect(missing.length).toBeGreaterThan(5);
      expect(ids(undisturbed[0]).indexOf(missing[0] ?? '')).toBeGreaterThan(30); // of those deleted, and no earlier one
      expect(ids(actual[0])).toEqual(ids(undisturbed[0]).filter((id) => !missing.includes(id))); // dedupe's state was kept
    } finally {
      await whole.remove();
    }
  });

  it('a restore replaces all that was there, and the next run goes on from it', async () => {
    const { names, topology } = newJob();
    const world = await freshWorld();
    try {
      await feed(local, names, events(0, 100));
      await run(topology);
      await createSavepoint(local, topology, { name: 'early', data: world.data, nowMs });
      const before = await storedTasks(local, topology);
      await feed(local, names, events(100, 200));
      await run(job(names, 'again'), true);
      const grown = (await storedTasks(local, topology)).flatMap(({ state }) => state);
      expect(grown.some(({ step }) => step === 'again')).toBe(true);

      await restoreSavepoint(local, topology, { file: savepointFile(world.data, 'early'), positions: 'keep' });
      await settled(prefix);
      const after = await storedTasks(local, topology);
      const plain = (tasks: typeof before) =>
        tasks.map(({ state }) =>
          state
            .map(({ step, cell, bucket, bytes }) =>
              [step, cell, bucket, Buffer.from(bytes ?? []).toString('hex')].join(),
            )
            .sort(),
        );
      expect(plain(after)).toEqual(plain(before));
      expect(after.map(({ checkpoint }) => checkpoint?.incarnation)).toEqual([1, 1]);

      const first = (await textsIn(local, names.output)).map((texts) => texts.length);
      await run(topology);
      const all = await textsIn(local, names.output);
      // What came after the savepoint was written twice, the second time as the first.
      const fresh = all.map((texts, p) => texts.slice(first[p]));
      expect(fresh.flat().length).toBeGreaterThan(50);
      expect(all.map((texts, p) => texts.slice((first[p] ?? 0) - (fresh[p]?.length ?? 0), first[p]))).toEqual(fresh);
    } finally {
      await world.remove();
    }
  });

  it('refuses while a process runs the topology, and not a moment after it has left', async () => {
    const { names, topology } = newJob();
    await feed(local, names, events(0, 50));
    const other = await open({ prefix });
    const running = await runTopology(topology, {
      profile: profileOf(other),
      inference: { open: () => Promise.reject(new Error('no models')), close: async () => undefined },
    });
    try {
      await expect.poll(() => local.checkpoints.tasks(names.name), { timeout: 30_000 }).toEqual([0, 1]);
      const reset = () => planReset(local, topology, { to: 'latest', source: undefined, dropState: false });
      await expect(reset()).rejects.toMatchObject({ code: 'config', message: '1 process runs the topology' });
      // Looking fences nobody: the run goes on.
      await lagOf(local, topology);
      planState(topology, await storedTasks(local, topology));
      await feed(local, names, events(50, 100));
      await expect
        .poll(async () => (await lagOf(local, topology)).map(({ lag }) => lag), { timeout: 30_000 })
        .toEqual([0, 0]);
      await running.stop();
      await settled(prefix);
      expect((await reset()).incarnation).toBe(1);
    } finally {
      await running.stop();
      await other.close();
    }
  });

  it('moves back to a time, with the offsets of the group', async () => {
    const { names, topology } = newJob();
    await feed(local, names, events(0, 200));
    await run(topology);
    const timestampMs = 1_700_000_000_000 + 100_000;
    const reset = await planReset(local, topology, { to: { timestampMs }, source: undefined, dropState: true });
    expect(reset.moves.map(({ from, to }) => [from, to])).toEqual([
      [100, 50],
      [100, 50],
    ]);
    await reset.apply();
    await settled(prefix);
    expect((await lagOf(local, topology)).map(({ lag }) => lag)).toEqual([50, 50]);
    const before = (await textsIn(local, names.output)).flat().length;
    await run(topology); // the ledger compares the group's offsets with the checkpoint: they must have moved together
    expect((await textsIn(local, names.output)).flat().length).toBeGreaterThan(before);
    expect((await storedTasks(local, topology)).map(({ checkpoint }) => checkpoint?.incarnation)).toEqual([1, 1]);
  });

  it('sends dead letters back to their partitions, and follows the topic meanwhile', async () => {
    const { names, topology } = newJob();
    await feed(local, names, events(0, 100));
    await run(topology);
    const stop = new AbortController();
    const seen: number[] = [];
    const letters = async function* () {
      for await (const placed of readTopic(local, names.dead)) yield letterOf(placed);
    };
    const ends = await local.endOffsets(names.input);
    const following = (async () => {
      for await (const { partition } of followTopic(local, names.input, 'latest', stop.signal)) {
        seen.push(partition);
        if (seen.length === 4) stop.abort();
      }
    })();
    const producer = local.producer();
    const sent = await replay(letters(), names.dead, producer);
    await expect(producer.append(names.input, 9, events(0, 1))).rejects.toThrow('has no partition 9');
    await producer.close();
    await following;
    const after = await local.endOffsets(names.input);
    for (const { partition, records } of sent) expect((after[partition] ?? 0) - (ends[partition] ?? 0)).toBe(records);
    expect(sent.reduce((sum, { records }) => sum + records, 0)).toBe(4);
  });
});
