import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Kafka as KafkaJs, logLevel } from 'kafkajs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { savepointFile } from '../../../src/checkpoints/savepoint-files.js';
import { createSavepoint, restoreSavepoint } from '../../../src/checkpoints/savepoints.js';
import { storedTasks, tasksNow } from '../../../src/checkpoints/stored-state.js';
import { resolveConfig } from '../../../src/profiles/config.js';
import { type OpenProfile, openProfile } from '../../../src/profiles/profiles.js';
import { runTopology } from '../../../src/runtime/index.js';
import { planState } from '../../../src/topology/index.js';
import { freshWorld } from '../../cli/operations.js';
import { happenings, INPUTS, keyed, OUTPUTS, outputs, send } from '../../cli/rescaling.js';
import { address, clusterEnv } from '../address.js';
import { fresh, settled } from '../kafka/world.js';

const name = fresh('rescaled');
const job = keyed(name);
const BEFORE = 3;
const AFTER = 5;
const all = happenings(77, 1_000);
const noModels = { open: () => Promise.reject(new Error('no model')), close: async () => undefined };

let profile: OpenProfile;
const data = mkdtempSync(join(tmpdir(), 'millrace-rescaled-'));

beforeAll(async () => {
  profile = await openProfile(resolveConfig({ flags: { profile: 'cluster' }, env: clusterEnv() }));
});
afterAll(async () => {
  for (const topic of [...INPUTS, 'rates', ...OUTPUTS, 'dead']) await profile.removal?.topic(`${name}.${topic}`);
  await profile.removal?.topology(name);
  await profile.close();
  rmSync(data, { recursive: true, force: true });
});

async function run(final: boolean): Promise<void> {
  const running = await runTopology(job, { profile, inference: noModels, bounded: true, final });
  await running.finished;
  await settled(`millrace.${name}`);
}

async function addPartitions(): Promise<void> {
  const admin = new KafkaJs({ brokers: [address('MILLRACE_KAFKA')], logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  await admin.createPartitions({
    topicPartitions: INPUTS.map((topic) => ({ topic: `${name}.${topic}`, count: AFTER })),
  });
  await admin.disconnect();
}

const restore = (savepoint: string) =>
  restoreSavepoint(profile, job, {
    file: savepointFile(data, savepoint),
    positions: 'keep',
    rescale: { assumeKeyed: false },
  });

describe('topics that get more partitions', () => {
  it('a drained topology goes on in as many tasks as if it had always had them', { timeout: 180_000 }, async () => {
    await send(profile, name, all.slice(0, 400), BEFORE);
    await run(false);
    await createSavepoint(profile, job, { name: 'early', data, nowMs: 0 });
    await send(profile, name, all.slice(400, 600), BEFORE);
    await run(false);
    await createSavepoint(profile, job, { name: 'drained', data, nowMs: 0 });
    await addPartitions();

    // Whoever simply starts it again is told.
    await expect(run(false)).rejects.toMatchObject({ code: 'state', hint: expect.stringContaining('--rescale') });
    const plan = planState(job, await storedTasks(profile, job), { tasksNow: await tasksNow(profile, job) });
    expect(plan.tasksNow).toBe(AFTER);
    expect(plan.cells.filter(({ action }) => action === 'refused')).toEqual([]);
    expect(plan.cells.find(({ step, cell }) => step === 'total' && cell === 'byUser')).toMatchObject({
      action: 'divided',
      note: 'by key: each entry goes to the task of its key',
    });
    expect(plan.cells.find(({ step, cell }) => step === 'price' && cell === 'versions')).toMatchObject({
      note: 'the same in every task',
    });

    // Records between the early savepoint and the change lie where their keys belonged then.
    await expect(restore('early')).rejects.toMatchObject({
      code: 'config',
      message: 'there are unread records that belong to other partitions by now',
    });

    expect(await restore('drained')).toEqual({ incarnation: 1, tasks: AFTER });
    const producer = profile.producer();
    for (const topic of [...INPUTS, 'rates'] as const)
      await producer.send(
        `${name}.${topic}`,
        all
          .slice(600)
          .filter((each) => each.topic === topic)
          .map(({ record }) => record),
      );
    await producer.close();
    await run(true);

    const whole = await freshWorld();
    await send(whole.profile, name, all, AFTER);
    const running = await runTopology(job, { profile: whole.profile, inference: noModels, bounded: true, final: true });
    await running.finished;
    expect(await outputs(profile, name)).toEqual(await outputs(whole.profile, name));
    await whole.remove();
    expect((await storedTasks(profile, job)).map(({ checkpoint }) => checkpoint?.tasks)).toEqual(
      Array(AFTER).fill(AFTER),
    );
  });
});
