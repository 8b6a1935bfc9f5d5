import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Kafka as KafkaJs, logLevel } from 'kafkajs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { resolveConfig } from '../../../src/profiles/config.js';
import { type OpenProfile, openProfile } from '../../../src/profiles/profiles.js';
import { millrace, startMillrace, userFolder } from '../../cli/millrace.js';
import { address, clusterEnv } from '../address.js';
import { foreignRead } from '../kafka/world.js';

const name = `rates-${randomUUID().slice(0, 8)}`;
const TASKS = 4;
const CURRENCIES = 12;

const topologyFile = `
import { joinTable, seconds, table, topology } from 'millrace';
import { kafka } from 'millrace/connectors/kafka';

const json = (subject) => ({ format: 'json', subject, definition: undefined });

export const shop = topology('${name}', { deadLetters: kafka.deadLetterSink({ topic: '${name}.dead' }) }, (t) => {
  const rates = t
    .source('rates', kafka.globalTableSource({ topic: '${name}.rates', schema: json('${name}.rates-value'), idleTimeout: seconds(1) }))
    .via('rate', table({ keysMax: 100 }));
  t.source('orders', kafka.source({ topic: '${name}.orders', schema: json('${name}.orders-value') }))
    .via('priced', { table: rates }, joinTable({
      key: (order: any) => order.currency,
      combine: (order: any, { euro }: any) => ({ id: order.id, euro }),
      keysMax: 100,
      pendingMax: 1_000,
    }))
    .to('out', kafka.sink({ topic: '${name}.out', schema: json('${name}.out-value') }));
});
`;

let profile: OpenProfile;
const user = userFolder({ 'shop.ts': topologyFile });

beforeAll(async () => {
  profile = await openProfile(resolveConfig({ flags: { profile: 'cluster' }, env: clusterEnv() }));
  const producer = profile.producer();
  await producer.createTopic(`${name}.orders`, TASKS);
  await producer.createTopic(`${name}.rates`, 3);
  await producer.close();
});
afterAll(async () => {
  for (const topic of ['orders', 'rates', 'out', 'dead']) await profile.removal?.topic(`${name}.${topic}`);
  await profile.removal?.topology(name);
  await profile.close();
  user.remove();
});

/** Event times only rise, as in a shop where nothing comes late. */
let nowMs = 1_700_000_000_000;
const expected = new Map<number, number>();
const rateOf = (currency: number, round: number) => 1_000 * round + currency;

/** Changes every rate, then sends orders in every currency, with keys that have nothing to do with currencies. */
async function round(number: number, orders = 200): Promise<void> {
  const producer = profile.producer();
  nowMs += 60_000;
  await producer.send(
    `${name}.rates`,
    Array.from({ length: CURRENCIES }, (_, currency) => ({
      key: Buffer.from(`c${currency}`),
      value: Buffer.from(JSON.stringify({ euro: rateOf(currency, number) })),
      timestampMs: nowMs,
    })),
  );
  await sleep(1_000); // a table that is not waited for is read within that time
  nowMs += 1_000;
  const first = expected.size;
  await producer.send(
    `${name}.orders`,
    Array.from({ length: orders }, (_, i) => {
      const id = first + i;
      const currency = id % CURRENCIES;
      expected.set(id, rateOf(currency, number));
      return {
        key: Buffer.from(`customer-${id % 37}`),
        value: Buffer.from(JSON.stringify({ id, currency: `c${currency}` })),
        timestampMs: nowMs + i,
      };
    }),
  );
  await producer.close();
}

/** What librdkafka reads of the output; no order twice. */
async function found(): Promise<Map<number, number>> {
  const rows = (await foreignRead(`${name}.out`)).map(
    ({ value }) => JSON.parse(value ?? '') as { id: number; euro: number },
  );
  expect(new Set(rows.map(({ id }) => id)).size).toBe(rows.length);
  return new Map(rows.map(({ id, euro }) => [id, euro] as const).sort(([a], [b]) => a - b));
}

async function until(what: () => Promise<boolean> | boolean): Promise<void> {
  const giveUpMs = Date.now() + 60_000;
  while (!(await what())) {
    if (Date.now() > giveUpMs) throw new Error('it did not come to that');
    await sleep(200);
  }
}

function workersOf(pid: number): number[] {
  try {
    return execFileSync('pgrep', ['-P', String(pid), '-f', '--', '--worker'], { encoding: 'utf8' })
      .trim()
      .split('\n')
      .map(Number);
  } catch {
    return []; // pgrep found none
  }
}

const ask = (...args: string[]) =>
  millrace([...args, '--profile', 'cluster', '--json'], { folder: user.folder, env: clusterEnv() });

describe('a global table on real Kafka', () => {
  it('is in every task of two processes, one of which is killed', { timeout: 180_000 }, async () => {
    await round(1);
    const { process: parent, ended } = startMillrace(['run', 'shop.ts', '--profile', 'cluster', '--processes', '2'], {
      folder: user.folder,
      env: clusterEnv(),
    });
    await until(async () => (await found()).size === expected.size);
    await round(2);
    await until(async () => (await found()).size === expected.size);
    process.kill(workersOf(parent.pid as number)[0] as number, 'SIGKILL');
    await round(3);
    await until(async () => (await found()).size === expected.size);
    await round(4);
    await until(async () => (await found()).size === expected.size);
    parent.kill('SIGINT');
    expect((await ended).code).toBe(0);
    expect(await found()).toEqual(expected);
  });

  it('has a position in each partition for each task, and may get more partitions', { timeout: 180_000 }, async () => {
    const before = JSON.parse((await ask('offsets', 'shop.ts')).out) as {
      lag: number;
      tasks: { source: string; task: number; partition: number }[];
    };
    expect(
      before.tasks.filter(({ source }) => source === 'rates').map(({ task, partition }) => [task, partition]),
    ).toEqual(Array.from({ length: TASKS }, (_, task) => [0, 1, 2].map((partition) => [task, partition])).flat());
    // Kafka's own lag counts the marks of transactions; of the table nothing is left.
    expect(before.tasks.filter(({ source }) => source === 'rates')).toEqual(
      expect.arrayContaining([expect.objectContaining({ lag: 0 })]),
    );

    const admin = new KafkaJs({ brokers: [address('MILLRACE_KAFKA')], logLevel: logLevel.NOTHING }).admin();
    await admin.connect();
    await admin.createPartitions({ topicPartitions: [{ topic: `${name}.rates`, count: 5 }] });
    await admin.disconnect();
    await round(5); // some currencies go to other partitions from here on
    const { code, err } = await ask('run', 'shop.ts', '--until-end');
    expect(err).not.toContain('error');
    expect(code).toBe(0);
    expect(await found()).toEqual(expected);

    const plan = JSON.parse((await ask('plan', 'shop.ts')).out);
    expect(plan.sources[0]).toMatchObject({ source: 'rates', action: 'continues' });
    expect(Object.keys(plan.sources[0].offsets)).toEqual(['0', '1', '2', '3', '4']);
  });

  it('goes into a savepoint and comes out of it', { timeout: 180_000 }, async () => {
    expect((await ask('savepoint', 'create', 'before', 'shop.ts')).code).toBe(0);
    const restored = await ask('savepoint', 'restore', 'before', 'shop.ts');
    expect(JSON.parse(restored.out)).toMatchObject({ tasks: TASKS, incarnation: 1 });
    await round(6);
    expect((await ask('run', 'shop.ts', '--until-end')).code).toBe(0);
    expect(await found()).toEqual(expected);
  });
});
