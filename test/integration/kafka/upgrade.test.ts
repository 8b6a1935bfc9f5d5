import { setTimeout as sleep } from 'node:timers/promises';
import type { Topology } from 'millrace';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import type { Kafka } from '../../../connectors/kafka/open.js';
import { millis } from '../../../src/core/duration.js';
import { type RunOptions, runTopology } from '../../../src/runtime/index.js';
import { localRegistry } from '../../../src/schema/index.js';
import { topologyHash } from '../../../src/topology/index.js';
import { check } from '../../chaos/verdict.js';
import { broker, fresh, open } from './world.js';

// The short form of `npm run drill:upgrade`: one process, in which each member of the group has connections of its own.

const TASKS = 4;
const name = fresh('upgrade');
const inputs = ['orders', 'refunds'] as const;
let versions: Record<'v1' | 'v1b' | 'v2', Topology>;
let kafka: Kafka;
const opened: Kafka[] = [];

beforeAll(async () => {
  vi.stubEnv('DRILL_NAME', name);
  versions = await import('../../upgrade/topology.js');
  kafka = await open();
  for (const id of inputs) await kafka.createTopic(`${name}.${id}`, TASKS);
});
afterAll(async () => {
  vi.unstubAllEnvs();
  for (const each of opened) await each.close();
  for (const topic of [...inputs.flatMap((id) => [`${name}.${id}`, `${name}.${id}.out`]), `${name}.dead`])
    await kafka.deleteTopic(topic);
  await kafka.forget(name);
  await kafka.close();
});

/** Starts a version as a member of the group, or without one. */
async function start(version: Topology, { bounded = false, ...options }: Partial<RunOptions> = {}) {
  const member = { tasks: [] as readonly number[], warnings: [] as string[] };
  const world = await open({ onWarning: (message) => void member.warnings.push(message) });
  opened.push(world);
  const join: Kafka['join'] = (told) =>
    world.join({
      ...told,
      onAssigned(tasks) {
        member.tasks = tasks;
        told.onAssigned(tasks);
      },
    });
  const running = await runTopology(version, {
    profile: {
      name: 'cluster',
      sources: { kafka: world.source },
      sinks: { kafka: world.topicSink },
      openLedger: world.openLedger,
      ...(bounded ? {} : { join }),
      schemas: localRegistry(),
      close: async () => undefined,
    },
    inference: { open: () => Promise.reject(new Error('no models here')), close: async () => undefined },
    epochInterval: millis(200),
    bounded,
    ...options,
  });
  return Object.assign(member, {
    running,
    async stop() {
      await running.stop();
      await world.close();
    },
  });
}

const until = async (what: () => Promise<boolean> | boolean) => {
  const giveUpMs = Date.now() + 60_000;
  while (!(await what())) {
    if (Date.now() > giveUpMs) throw new Error('it did not come to that');
    await sleep(50);
  }
};

/** Waits until outputs have come since now. */
async function goesOn(id: (typeof inputs)[number]): Promise<void> {
  const end = async () => (await kafka.endOffsets(`${name}.${id}.out`)).reduce((sum, each) => sum + each, 0);
  const from = await end();
  await until(async () => (await end()) > from);
}

it('an upgrade and its rollback lose and double nothing, and a version that joins for a moment changes nothing', async () => {
  let stopped = false;
  let written = 0;
  const load = (async () => {
    const producer = kafka.producer();
    for (; !stopped; written += 20) {
      const records = Array.from({ length: 20 }, (_, index) => {
        const event = { n: written + index, key: `k${(written + index) % 50}`, atMs: Date.now() };
        return { key: Buffer.from(event.key), value: Buffer.from(JSON.stringify(event)), timestampMs: event.atMs };
      });
      for (const id of inputs) await producer.send(`${name}.${id}`, records);
      await sleep(20);
    }
  })();
  load.catch(() => undefined); // awaited below
  const { v1, v1b, v2 } = versions;

  const first = await start(v1);
  await goesOn('refunds');
  const refused = start(v2);
  await expect(refused).rejects.toMatchObject({ code: 'config', hint: expect.stringContaining(topologyHash(v2)) });
  await until(() => first.warnings.at(-1)?.includes(`topology ${topologyHash(v2)}`) ?? false);

  // Another stateless step: both versions have tasks at the same time.
  const second = await start(v1b);
  await until(() => first.tasks.length === 2 && second.tasks.length === 2);
  await goesOn('refunds');
  await first.stop();
  await until(() => second.tasks.length === TASKS);

  const third = await start(v2, { acceptPlan: topologyHash(v2) });
  await until(() => third.warnings.some((warning) => warning.includes('This process waits')));
  await goesOn('refunds');
  await second.stop();
  await until(() => third.tasks.length === TASKS);
  await goesOn('orders');

  const fourth = await start(v1b, { acceptPlan: topologyHash(v1b) });
  await until(() => fourth.warnings.some((warning) => warning.includes('This process waits')));
  await third.stop();
  await goesOn('refunds');
  stopped = true;
  await load;
  await fourth.stop();
  await (await start(v1b, { bounded: true })).running.finished;

  for (const id of inputs) {
    const topics = { clicks: `${name}.${id}`, scored: `${name}.${id}.out`, dead: `${name}.dead` };
    const { compared, wrong } = await check([broker()], topics);
    expect(compared).toMatchObject({ records: written });
    expect(wrong).toEqual(Object.fromEntries(Object.keys(wrong).map((what) => [what, 0])));
  }
}, 300_000);
