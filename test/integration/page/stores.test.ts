import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { clickhouse } from '../../../connectors/clickhouse/index.js';
import { kafka } from '../../../connectors/kafka/index.js';
import { redis } from '../../../connectors/redis/index.js';
import { openBrowser, openPage } from '../../../scripts/browser.mjs';
import { hours, json, topology } from '../../../src/index.js';
import { resolveConfig } from '../../../src/profiles/config.js';
import { openProfile } from '../../../src/profiles/profiles.js';
import { type App, start } from '../../../src/run.js';
import { Store } from '../../chaos/stores.js';
import { lastingPorts } from '../../ports.js';
import { address } from '../address.js';

interface Order {
  readonly id: number;
}
const name = `stores-${randomUUID().slice(0, 8)}`;
const orders = topology(name, { deadLetters: kafka.deadLetterSink({ topic: `${name}.dead` }) }, (t) => {
  const read = t.source('orders', kafka.source<Order>({ topic: name, schema: json<Order>() }));
  read.to('newest', redis.hashSink({ key: ({ id }) => `${name}:${id % 100}`, ttl: hours(1) }));
  read.to('history', clickhouse.tableSink({ table: 'orders', columns: { id: 'UInt32' } }));
});
const ORDERS = 30_000;
/** A machine that is busy with other tests may take long to show what the page says; how soon it was said is in the text. */
const SAID = { timeout: 15_000 };
const SAID_AFTER_MAX_S = 3;

let folder: string;
let browser: Browser;
let app: App | undefined;
const stores: Store[] = [];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-stores-'));
  browser = await openBrowser();
});
afterAll(async () => {
  await browser?.close();
  await app?.stop();
  for (const store of stores) await store.stop();
  await rm(folder, { recursive: true, force: true });
});

it('says within three seconds that Redis or ClickHouse was killed, and when each is back, without being loaded again', async () => {
  stores.push(await Store.start('redis', folder), await Store.start('clickhouse', folder));
  const [redisStore, clickhouseStore] = stores as [Store, Store];
  const settings = {
    ...{ profile: 'cluster' as const, kafka: address('MILLRACE_KAFKA'), registry: address('MILLRACE_REGISTRY') },
    ...{ redis: redisStore.url, clickhouse: clickhouseStore.url },
  };
  const profile = await openProfile(resolveConfig({ flags: settings, env: {} }));
  const producer = profile.producer();
  await producer.createTopic(name, 1);
  const records = Array.from({ length: ORDERS }, (_, id) => ({
    ...{ key: null, value: Buffer.from(JSON.stringify({ id })), timestampMs: 1_700_000_000_000 + id },
  }));
  await producer.append(name, 0, records);
  await producer.close();
  await profile.close();

  const { kafka: brokers, redis: redisUrl, clickhouse: clickhouseUrl, ...others } = settings;
  const [port = 0] = await lastingPorts(1);
  app = await start(orders, {
    ...{ ...others, port, recordsPerSecondMax: 1_000, env: {} },
    connectors: { kafka: brokers, redis: redisUrl, clickhouse: clickhouseUrl },
  });
  const { page, problems } = await openPage(browser, app.url ?? '');
  const event = (text: string) => page.locator('#events li', { hasText: text }).first();
  await page.evaluate('globalThis.isTheSame = true');
  const works = (timeout: number) => page.locator('[data-is=ok]').waitFor({ timeout });
  await works(20_000);
  for (const [sink, store] of [
    ['newest', redisStore],
    ['history', clickhouseStore],
  ] as const) {
    await store.restart('SIGKILL', async () => {
      const said = event(`${sink} has not answered for`);
      await said.waitFor(SAID);
      expect(Number(/for ([\d.]+) s/.exec((await said.textContent()) ?? '')?.[1])).toBeLessThanOrEqual(
        SAID_AFTER_MAX_S,
      );
      expect(await page.locator('.node.down title').textContent()).toContain(`sink ${sink},`);
    });
    await event(`${sink} answers again`).waitFor({ timeout: 30_000 });
    await works(5_000);
  }
  expect(await page.evaluate('globalThis.isTheSame')).toBe(true);

  // At rest, what is committed is what was read.
  app.pause();
  await expect.poll(() => app?.snapshot().tasks.every(({ isAtRest }) => isAtRest), { timeout: 10_000 }).toBe(true);
  const [task] = app.snapshot().tasks;
  expect(task?.lag.orders).toBeGreaterThan(0);
  const behind = ORDERS - (task?.positions.orders?.offset ?? 0);
  expect(task?.lag.orders).toBe(behind);
  await page.locator('#lag', { hasText: new RegExp(`^${behind.toLocaleString('en')}$`) }).waitFor(SAID);
  expect(problems).toEqual([]);
});
