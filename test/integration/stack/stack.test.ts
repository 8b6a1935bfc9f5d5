import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Kafka, logLevel } from 'kafkajs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { askClickHouse } from '../../../stack/ask-clickhouse.js';
import { beginOf, isAlive } from '../../../stack/processes.js';
import { type Entry, stackEnv, stackStatus, startStack, stopStack } from '../../../stack/stack.js';

let dataDir: string;
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'millrace-stack-'));
});
afterEach(async () => {
  await stopStack(dataDir);
  rmSync(dataDir, { recursive: true, force: true });
});

const entries = () => JSON.parse(readFileSync(join(dataDir, 'processes.json'), 'utf8')) as Record<string, Entry>;
const states = async () => Object.fromEntries((await stackStatus(dataDir)).map(({ name, state }) => [name, state]));

describe('the stack', () => {
  it('starts what is asked for on free ports, says where, and ends it', async () => {
    const stack = await startStack({ services: ['redis', 'clickhouse'], ports: 0, dataDir });
    expect(stack.urls.redis).toMatch(/^redis:\/\/127\.0\.0\.1:\d+$/);
    expect(stack.env).toEqual({ MILLRACE_REDIS: stack.urls.redis, MILLRACE_CLICKHOUSE: stack.urls.clickhouse });
    expect(await states()).toEqual({
      kafka: 'stopped',
      registry: 'stopped',
      redis: 'healthy',
      clickhouse: 'healthy',
      s3: 'stopped',
    });
    expect(stackEnv(dataDir)).toEqual(stack.env);
    const started = Object.values(entries());
    await stack.stop();
    expect(started.filter(isAlive)).toEqual([]);
    expect(await states()).toMatchObject({ redis: 'stopped', clickhouse: 'stopped' });
  });

  it('leaves what runs as it is, and its own stop leaves what ran before', async () => {
    const first = await startStack({ services: ['redis'], ports: 0, dataDir });
    const second = await startStack({ services: ['redis', 'clickhouse'], ports: 0, dataDir });
    expect(second.urls.redis).toBe(first.urls.redis);
    await second.stop();
    expect(await states()).toMatchObject({ redis: 'healthy', clickhouse: 'stopped' });
  });

  it('keeps data over a stop and a start, also after a kill', async () => {
    const start = () => startStack({ services: ['clickhouse'], ports: 0, dataDir });
    const sql = async (url: string | undefined, body: string) =>
      (await askClickHouse(url as string, '/', { body })).text();
    const first = await start();
    await sql(first.urls.clickhouse, 'CREATE TABLE kept (n UInt8) ENGINE = MergeTree ORDER BY n');
    await sql(first.urls.clickhouse, 'INSERT INTO kept VALUES (1)');
    process.kill((entries().clickhouse as Entry).pid, 'SIGKILL');
    await expect.poll(states).toMatchObject({ clickhouse: 'stopped' });
    const second = await start();
    expect(await sql(second.urls.clickhouse, 'SELECT n FROM kept')).toBe('1\n');
    await stopStack(dataDir);
    const third = await start();
    expect(await sql(third.urls.clickhouse, 'SELECT n FROM kept')).toBe('1\n');
  });

  it('never ends a process that only has the id of one it started', async () => {
    const stack = await startStack({ services: ['redis'], ports: 0, dataDir });
    await stack.stop();
    const other = spawn('sleep', ['60'], { stdio: 'ignore' });
    const stale = { redis: { pid: other.pid, began: 'another time', port: 1 } };
    writeFileSync(join(dataDir, 'processes.json'), JSON.stringify(stale));
    expect(await stopStack(dataDir)).toEqual([]);
    expect(beginOf(other.pid as number)).toBeDefined();
    other.kill();
  });

  it('names the service and the port where the port is taken, and ends what it had started', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as { port: number };
    const start = startStack({ services: ['redis', 'clickhouse'], ports: { redis: 0, clickhouse: port }, dataDir });
    await expect(start).rejects.toMatchObject({
      code: 'config',
      message: `port ${port} is already in use, so clickhouse cannot start there`,
      hint: expect.stringContaining('--clickhouse-port'),
    });
    expect(await states()).toMatchObject({ redis: 'stopped' });
    server.close();
  });

  it('names a program that is missing, with the command that installs it', async () => {
    const path = process.env.PATH;
    process.env.PATH = '/nowhere';
    try {
      const start = startStack({ services: ['redis', 'kafka'], ports: 0, dataDir });
      await expect(start).rejects.toMatchObject({
        code: 'config',
        message: expect.stringMatching(/`redis-server` is not installed(.|\n)*`java` is not installed/),
        hint: expect.stringMatching(/apt-get install redis-server(.|\n)*apt-get install openjdk-17/),
      });
    } finally {
      process.env.PATH = path;
    }
  });

  it('shows the end of the log of a service that ends while it starts', async () => {
    const folder = join(dataDir, 'redis');
    const stack = await startStack({ services: ['redis'], ports: 0, dataDir });
    await stack.stop();
    const aof = join(folder, 'appendonlydir');
    expect(existsSync(aof)).toBe(true);
    writeFileSync(join(aof, 'appendonly.aof.manifest'), 'damaged');
    await expect(startStack({ services: ['redis'], ports: 0, dataDir })).rejects.toMatchObject({
      message: expect.stringMatching(/Redis ended while starting; the end of its log:(.|\n)*manifest/i),
    });
  });

  it('keeps topics and the ids of schemas over a kill: records that outlive it name them', async () => {
    const services = ['kafka', 'registry'] as const;
    const start = () => startStack({ services, ports: 0, dataDir });
    const first = await start();
    const registered = await fetch(`${first.urls.registry}/subjects/kept-value/versions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ schema: '"string"' }),
    });
    const { id } = (await registered.json()) as { id: number };
    const kafka = new Kafka({ brokers: [first.urls.kafka as string], logLevel: logLevel.NOTHING }).admin();
    await kafka.connect();
    await kafka.createTopics({ topics: [{ topic: 'kept', numPartitions: 3, replicationFactor: 1 }] });
    await kafka.disconnect();
    for (const name of services) process.kill((entries()[name] as Entry).pid, 'SIGKILL');
    await expect.poll(states).toMatchObject({ kafka: 'stopped', registry: 'stopped' });

    const second = await start();
    const schema = await fetch(`${second.urls.registry}/schemas/ids/${id}`);
    expect(await schema.json()).toMatchObject({ schema: '"string"' });
    const again = new Kafka({ brokers: [second.urls.kafka as string], logLevel: logLevel.NOTHING }).admin();
    await again.connect();
    expect(await again.listTopics()).toContain('kept');
    await again.disconnect();
  });
});
