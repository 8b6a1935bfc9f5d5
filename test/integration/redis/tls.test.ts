import { mkdtempSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { redis } from '../../../connectors/redis/index.js';
import { openRedis } from '../../../connectors/redis/open.js';
import { redisOptions } from '../../../connectors/redis/reached-by.js';
import { settings as redisSettings } from '../../../connectors/redis/settings.js';
import { minutes, type Sink } from '../../../src/core/index.js';
import { resolveConfig } from '../../../src/profiles/config.js';
import { originAt } from '../../../src/testing/contract.js';
import { makeCertificates } from '../kafka/certificates.js';
import { OwnServer } from './own-server.js';

// A server that speaks TLS alone, wants a certificate of its clients, and a password.

const PASSWORD = 'p4ss-w:rd@of/redis';
let folder: string;
let server: OwnServer;
const at = (name: string) => join(folder, name);

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-redis-tls-'));
  await makeCertificates(folder);
  const tls = ['--tls-port', 'PORT', '--port', '0', '--tls-ca-cert-file', at('ca.pem'), '--tls-auth-clients', 'yes'];
  const own = ['--tls-cert-file', at('broker.crt'), '--tls-key-file', at('broker.clear'), '--requirepass', PASSWORD];
  const [ca, cert, key] = await Promise.all(['ca.pem', 'client.crt', 'client.clear'].map((name) => readFile(at(name))));
  server = await OwnServer.start({
    args: [...tls, ...own],
    client: { tls: { ca: ca as Buffer, cert: cert as Buffer, key: key as Buffer }, password: PASSWORD },
  });
});
afterAll(async () => {
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** Connects as the settings say and writes one value. */
async function write(settings: Readonly<Record<string, string>>, name: string): Promise<void> {
  const env = {
    MILLRACE_REDIS: `rediss://localhost:${server.port}`,
    MILLRACE_REDIS_CA: at('ca.pem'),
    MILLRACE_REDIS_CERT: at('client.crt'),
    MILLRACE_REDIS_KEY: at('client.clear'),
    MILLRACE_REDIS_PASSWORD: PASSWORD,
    ...settings,
  };
  const opened = openRedis({ ...redisOptions(resolveConfig({ env }).valuesOf(redisSettings)), attemptsMax: 3 });
  try {
    const sink = redis.hashSink<{ n: number }>({ key: () => name, ttl: minutes(1) }) as Sink<unknown>;
    await opened.sink.setUp?.(sink, { topology: name, step: 'out', partitions: 1 });
    const task = { topology: name, partition: 0 };
    const writer = await opened.sink.open(sink, { step: 'out', task, incarnation: 0 });
    await writer.write([{ n: 1 }], [originAt(0)]);
    await writer.prepare?.();
  } finally {
    await opened.close();
  }
}

const refusal = (settings: Readonly<Record<string, string>>) => write(settings, 'never').catch((e: unknown) => e);

it('lets in who has a certificate and the password', async () => {
  await write({}, 'tls');
  await write({ MILLRACE_REDIS_USER: 'default' }, 'tls-user');
  const client = server.client();
  expect(await client.hget('tls', 'n')).toBe('1');
  client.disconnect();
});

it('goes by the name that it is told', async () => {
  const wrong = { MILLRACE_REDIS_SERVER_NAME: 'elsewhere.example' };
  expect(await refusal(wrong)).toMatchObject({ code: 'sink', hint: expect.stringContaining('redisServerName') });
  await write({ MILLRACE_REDIS_SERVER_NAME: 'localhost' }, 'named');
});

it('says what is wrong, at once and without the password', async () => {
  const began = performance.now();
  for (const [settings, hint] of [
    [{ MILLRACE_REDIS_CA: at('other-ca.pem') }, 'redisCa'],
    [{ MILLRACE_REDIS_PASSWORD: 'wr0ng-passw0rd' }, 'user and password'],
  ] as const) {
    const error = await refusal(settings);
    expect(error).toMatchObject({ code: 'sink', hint: expect.stringContaining(hint) });
    expect(`${(error as Error).message} ${JSON.stringify(error)}`).not.toMatch(/p4ss|wr0ng/);
  }
  expect(performance.now() - began).toBeLessThan(5_000);
});
