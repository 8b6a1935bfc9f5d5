import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Transfer, TransferV1 } from '../../../schemas/transfer.v1.js';
import { resolveConfig } from '../../../src/profiles/config.js';
import { type OpenProfile, openProfile } from '../../../src/profiles/profiles.js';
import { openCodec, type WireCodec } from '../../../src/schema/index.js';
import { askClickHouse } from '../../../stack/ask-clickhouse.js';
import { startMillrace, userFolder } from '../../cli/millrace.js';
import { generator } from '../../random.js';
import { address, clusterEnv } from '../address.js';
import { startChecker } from './checker.js';

const name = `tx-${randomUUID().slice(0, 8)}`;
const PARTITIONS = 6;
const ACCOUNTS = 60;
const random = generator(20_261_125);

const user = userFolder({
  'tx.ts': `import { transfersOf } from 'millrace/topologies/transfers';\nexport const tx = transfersOf('${name}');\n`,
});
const run = (...args: string[]) =>
  startMillrace(['run', 'tx.ts', '--profile', 'cluster', ...args], { folder: user.folder, env: clusterEnv() });

let profile: OpenProfile;
let codec: WireCodec<Transfer>;
let checker: ReturnType<typeof startChecker>;

beforeAll(async () => {
  profile = await openProfile(resolveConfig({ flags: { profile: 'cluster' }, env: clusterEnv() }));
  codec = await openCodec(TransferV1, profile.schemas);
  const producer = profile.producer();
  await producer.createTopic(`${name}.v1`, PARTITIONS);
  await producer.close();
});
afterAll(async () => {
  checker?.close();
  await profile.close();
  user.remove();
});

let sent = 0;
/** Transfers between any two accounts; the key is the transfer's, so its accounts are other tasks'. */
async function send(count: number): Promise<void> {
  const producer = profile.producer();
  const records = Array.from({ length: count }, (_, i) => {
    const transferId = sent + i;
    const account = () => `acc-${Math.floor(random() * ACCOUNTS)}`;
    const value: Transfer = {
      transferId,
      from: account(),
      to: account(),
      amountCents: 1 + Math.floor(random() * 10_000),
      bookedAt: 1_700_000_000_000 + transferId * 10,
    };
    return { key: Buffer.from(String(transferId)), value: codec.encode(value), timestampMs: value.bookedAt };
  });
  sent += count;
  await producer.send(`${name}.v1`, records);
  await producer.close();
}

/** Processes that were started by this one. */
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

async function until(what: () => Promise<boolean> | boolean, said: () => string, patienceMs = 60_000): Promise<void> {
  const giveUpMs = Date.now() + patienceMs;
  while (!(await what())) {
    if (Date.now() > giveUpMs) throw new Error(`it did not come to that:\n${said()}`);
    await sleep(100);
  }
}

const nothingWrong = { miscounted: 0, oneLeg: 0, lost: 0, doubled: 0, strange: 0, total: 0 };

describe('transfers between accounts of different tasks', () => {
  it('are booked with both legs or none while processes are killed, and add up to nothing in the end', async () => {
    const { process: parent, ended, output } = run('--processes', '3');
    const pid = parent.pid as number;
    await until(() => workersOf(pid).length === 3, output);
    await send(500);
    await until(
      async () => (await profile.endOffsets(`${name}.balances.v1`).catch(() => [0])).some((end) => end > 0),
      output,
    );
    checker = startChecker({
      brokers: address('MILLRACE_KAFKA'),
      transfers: `${name}.v1`,
      between: `${name}.by-account.repartition`,
      balances: `${name}.balances.v1`,
      group: `millrace.${name}/by-account`,
    });
    let writing = true;
    const written = (async () => {
      while (writing) {
        await send(100);
        await sleep(100);
      }
    })();
    let kills = 0;
    const looks: { booked: number; single: number; wrong: unknown }[] = [];
    for (let round = 0; round < 5; round++) {
      await sleep(500 + random() * 1_500);
      const workers = workersOf(pid);
      const victim = workers[Math.floor(random() * workers.length)];
      if (victim !== undefined) {
        process.kill(victim, 'SIGKILL');
        kills += 1;
      }
      looks.push(await checker.look());
    }
    writing = false;
    await written;
    expect(kills).toBe(5);
    expect(looks.map(({ wrong }) => wrong)).toEqual(looks.map(() => nothingWrong));
    expect(output()).toContain('is restarted');

    parent.kill('SIGINT');
    expect((await ended).code, output()).toBe(0);
    // What came last is still to be done: sub-topology after sub-topology, each to its end in all processes.
    await send(500);
    const { code, out, err } = await run('--processes', '2', '--until-end', '--json').ended;
    expect(code, err).toBe(0);
    expect(JSON.parse(out)).toMatchObject({
      read: { transfers: sent },
      repartitioned: { 'by-account': 2 * sent },
      written: { balances: 2 * sent, online: 2 * sent, history: 2 * sent },
    });
    const verdict = await checker.end();
    expect(verdict.wrong).toEqual(nothingWrong);
    expect(verdict.transfers).toBe(sent);
    process.stdout.write(
      `${JSON.stringify({ transfers: sent, kills, looks: looks.map(({ booked, single }) => ({ booked, single })) })}\n`,
    );
    await sameElsewhere(verdict.accounts);
  });

  it('say how far each sub-topology has read', async () => {
    const { code, out } = await startMillrace(['offsets', 'tx.ts', '--profile', 'cluster', '--json'], {
      folder: user.folder,
      env: clusterEnv(),
    }).ended;
    expect(code).toBe(0);
    const { tasks } = JSON.parse(out) as { tasks: { source: string; topic: string; task: number }[] };
    expect(tasks.map(({ source, topic, task }) => [source, topic, task])).toEqual([
      ...Array.from({ length: PARTITIONS }, (_, task) => ['transfers', `${name}.v1`, task]),
      ...Array.from({ length: PARTITIONS }, (_, task) => ['by-account', `${name}.by-account.repartition`, task]),
    ]);
  });
});

/** Redis and ClickHouse, by plain clients, hold what the topic says. */
async function sameElsewhere(accounts: Readonly<Record<string, number>>): Promise<void> {
  const redis = new Redis(address('MILLRACE_REDIS'));
  const online: Record<string, number> = {};
  for (const account of Object.keys(accounts))
    online[account] = Number((await redis.hgetall(`${name}:account:${account}`)).balanceCents);
  redis.disconnect();
  expect(online).toEqual(accounts);

  const table = `${name.replaceAll('-', '_')}_balances`;
  const asked = `SELECT account, sum(amountCents) AS sum, count() AS legs FROM ${table} GROUP BY account FORMAT JSONEachRow`;
  const answer = await askClickHouse(address('MILLRACE_CLICKHOUSE'), '/', { body: asked });
  const rows = (await answer.text())
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { account: string; sum: string | number; legs: string | number });
  expect(Object.fromEntries(rows.map(({ account, sum }) => [account, Number(sum)]))).toEqual(accounts);
  expect(rows.reduce((legs, row) => legs + Number(row.legs), 0)).toBe(2 * sent);
}
