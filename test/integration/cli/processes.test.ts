import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { resolveConfig } from '../../../src/profiles/config.js';
import { type OpenProfile, openProfile } from '../../../src/profiles/profiles.js';
import { startMillrace, userFolder } from '../../cli/millrace.js';
import { clusterEnv } from '../address.js';
import { foreignRead } from '../kafka/world.js';
import { OwnServer } from '../redis/own-server.js';

const name = `shared-${randomUUID().slice(0, 8)}`;
const RECORDS = 3_000;

const topologyFile = `
import { map, topology } from 'millrace';
import { kafka } from 'millrace/connectors/kafka';

const json = (subject) => ({ format: 'json', subject, definition: undefined });

export const shared = topology('${name}', { deadLetters: kafka.deadLetterSink({ topic: '${name}.dead' }) }, (t) => {
  t.source('in', kafka.source({ topic: '${name}.in', schema: json('${name}.in-value') }))
    .via('twice', map(({ n }: { n: number }) => ({ n, twice: 2 * n })))
    .to('out', kafka.sink({ topic: '${name}.out', schema: json('${name}.out-value') }));
});
`;

let profile: OpenProfile;
const user = userFolder({
  'shared.ts': topologyFile,
  'missing.ts': topologyFile.replace(`'${name}.in'`, `'${name}.missing'`),
});

beforeAll(async () => {
  profile = await openProfile(resolveConfig({ flags: { profile: 'cluster' }, env: clusterEnv() }));
});
afterAll(async () => {
  await profile.close();
  user.remove();
});

let sent = 0;
async function send(records: number): Promise<void> {
  const producer = profile.producer();
  await producer.createTopic(`${name}.in`, 6);
  const batch = Array.from({ length: records }, (_, i) => ({
    key: Buffer.from(`k${(sent + i) % 50}`),
    value: Buffer.from(JSON.stringify({ n: sent + i })),
    timestampMs: 1_700_000_000_000 + sent + i,
  }));
  sent += records;
  await producer.send(`${name}.in`, batch);
  await producer.close();
}

const found = async (): Promise<number[]> =>
  (await foreignRead(`${name}.out`))
    .map(({ value }) => (JSON.parse(value ?? '') as { n: number }).n)
    .sort((a, b) => a - b);

const everything = () => Array.from({ length: sent }, (_, n) => n);

/** Processes that were started by this one, with what is in their command line. */
async function childrenOf(pid: number): Promise<number[]> {
  const { execFileSync } = await import('node:child_process');
  try {
    return execFileSync('pgrep', ['-P', String(pid), '-f', '--', '--worker'], { encoding: 'utf8' })
      .trim()
      .split('\n')
      .map(Number);
  } catch {
    return []; // pgrep found none
  }
}

const alive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

async function until(what: () => Promise<boolean> | boolean, patienceMs = 60_000): Promise<void> {
  const giveUpMs = Date.now() + patienceMs;
  while (!(await what())) {
    if (Date.now() > giveUpMs) throw new Error('it did not come to that');
    await sleep(100);
  }
}

const run = (...args: string[]) =>
  startMillrace(['run', 'shared.ts', '--profile', 'cluster', '--processes', '3', ...args], {
    folder: user.folder,
    env: clusterEnv(),
  });

describe('millrace run --processes', () => {
  it('reads to the end together and sums up what its processes did', async () => {
    await send(RECORDS);
    const { code, out, err } = await run('--until-end', '--json').ended;
    expect(err).not.toContain('error');
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ topology: name, read: { in: RECORDS }, written: { out: RECORDS } });
    expect(await found()).toEqual(everything());
  });

  it('starts a killed process anew, and drains all of them at Ctrl-C', async () => {
    const { process: parent, ended, output } = run();
    await until(async () => (await childrenOf(parent.pid as number)).length === 3);
    await send(RECORDS);
    await until(async () => (await found()).length === sent);
    const [victim] = await childrenOf(parent.pid as number);
    process.kill(victim as number, 'SIGKILL');
    await until(async () => output().includes('is restarted'));
    await send(RECORDS);
    await until(async () => (await found()).length === sent);
    await until(async () => (await childrenOf(parent.pid as number)).length === 3);
    parent.kill('SIGINT');
    const { code } = await ended;
    expect(code).toBe(0);
    expect(await found()).toEqual(everything());
  });

  it('leaves no orphans when it is killed itself', async () => {
    const { process: parent, ended } = run();
    await until(async () => (await childrenOf(parent.pid as number)).length === 3);
    await send(RECORDS);
    await until(async () => (await found()).length === sent);
    const children = await childrenOf(parent.pid as number);
    parent.kill('SIGKILL');
    await ended;
    await until(() => !children.some(alive), 20_000);
    expect(await found()).toEqual(everything());
  });

  it('fails with the cause where a process cannot run the topology, and on the embedded profile', async () => {
    const broken = startMillrace(['run', 'missing.ts', '--profile', 'cluster', '--processes', '2'], {
      folder: user.folder,
      env: clusterEnv(),
    });
    const { code, err } = await broken.ended;
    expect(code).toBe(1);
    expect(err).toContain(`${name}.missing`);
    const embedded = await startMillrace(['run', 'shared.ts', '--processes', '2'], { folder: user.folder }).ended;
    expect(embedded.code).toBe(1);
    expect(embedded.err).toContain('the embedded profile runs in one process');
  });
});

describe('a sink that is down', () => {
  it('is waited for by a process that starts meanwhile, and by its sibling, and all goes on once it is back', async () => {
    const redis = await OwnServer.start();
    const cached = `cached-${randomUUID().slice(0, 8)}`;
    const folder = userFolder({ 'cached.ts': cachedFile(cached) });
    const producer = profile.producer();
    const client = redis.client();
    let total = 0;
    const more = async () => {
      const values = Array.from({ length: 200 }, () => ({ n: total++ }));
      await producer.send(
        `${cached}.in`,
        values.map(({ n }) => ({
          key: Buffer.from(`k${n}`),
          value: Buffer.from(JSON.stringify({ n })),
          timestampMs: Date.now(),
        })),
      );
    };
    const isThere = async () => (await client.keys(`${cached}:*`)).length === total;
    let run: ReturnType<typeof startMillrace> | undefined;
    try {
      await producer.createTopic(`${cached}.in`, 4);
      run = startMillrace(['run', 'cached.ts', '--profile', 'cluster', '--processes', '2'], {
        folder: folder.folder,
        env: { ...clusterEnv(), MILLRACE_REDIS: `redis://127.0.0.1:${redis.port}` },
      });
      const { process: parent, ended, output } = run;
      await more();
      await until(isThere, 120_000);
      const [victim, sibling] = await childrenOf(parent.pid as number);
      await redis.kill();
      process.kill(victim as number, 'SIGKILL');
      await more();
      await until(() => /start waits for it/.test(output()), 120_000);
      expect(alive(sibling as number)).toBe(true);
      await redis.run();
      await until(isThere, 180_000);
      expect(alive(sibling as number)).toBe(true);
      parent.kill('SIGINT');
      expect((await ended).code).toBe(0);
    } finally {
      run?.process.kill('SIGKILL');
      client.disconnect();
      await producer.close();
      await redis.stop();
      folder.remove();
    }
  }, 480_000);
});

const cachedFile = (topic: string) => `
import { json, minutes, topology } from 'millrace';
import { kafka } from 'millrace/connectors/kafka';
import { redis } from 'millrace/connectors/redis';

export const cached = topology('${topic}', { deadLetters: kafka.deadLetterSink({ topic: '${topic}.dead' }) }, (t) => {
  t.source('in', kafka.source({ topic: '${topic}.in', schema: json<{ n: number }>() }))
    .to('online', redis.hashSink({ key: ({ n }) => \`${topic}:\${n}\`, ttl: minutes(60) }));
});
`;
