import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import axe from 'axe-core';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { kafka } from '../../../connectors/kafka/index.js';
import { openBrowser, openPage } from '../../../scripts/browser.mjs';
import { savepointFile } from '../../../src/checkpoints/savepoint-files.js';
import { restoreSavepoint } from '../../../src/checkpoints/savepoints.js';
import { dedupe, hours, json, topology } from '../../../src/index.js';
import { resolveConfig } from '../../../src/profiles/config.js';
import { openProfile } from '../../../src/profiles/profiles.js';
import { type App, start } from '../../../src/run.js';
import { lastingPorts } from '../../ports.js';

interface Order {
  readonly id: string;
}
const orders = topology('orders', { deadLetters: kafka.deadLetterSink({ topic: 'orders.dead' }) }, (t) => {
  t.source('orders', kafka.source<Order>({ topic: 'orders', schema: json<Order>() }))
    .via('dedupe', dedupe({ key: ({ id }) => id, retention: hours(1), keysMax: 1_000 }))
    .to('out', kafka.sink({ topic: 'out', schema: json<Order>() }));
});

let browser: Browser;
let folder: string;
let app: App | undefined;
const lines: string[] = [];
beforeAll(async () => {
  browser = await openBrowser();
  folder = await mkdtemp(join(tmpdir(), 'millrace-control-'));
});
afterAll(async () => {
  await browser?.close();
  await app?.stop();
  await rm(folder, { recursive: true, force: true });
});

const config = (data: string) => resolveConfig({ flags: { data: join(folder, data) }, env: {} });

async function produce(data: string, ids: readonly string[]): Promise<void> {
  const profile = await openProfile(config(data), { besideOwner: true });
  const producer = profile.producer();
  await producer.createTopic('orders', 1);
  const records = ids.map((id) => ({
    key: null,
    value: Buffer.from(JSON.stringify({ id })),
    timestampMs: 1_700_000_000_000,
  }));
  await producer.append('orders', 0, records);
  await producer.close();
  await profile.close();
}
const written = (of: App) =>
  of.snapshot().counters.find(({ step, name }) => step === 'out' && name === 'written')?.value ?? 0;

it('pauses a run, takes a savepoint that another run goes on from, resumes and stops, by buttons', async () => {
  const [port = 0] = await lastingPorts(1);
  await produce('first', ['a', 'b']);
  const running = await start(orders, {
    ...{ data: join(folder, 'first'), port, allowActions: 'on' as const, env: {} },
    onAction: (line) => void lines.push(line.replace(/ \(request [\w-]+\)/, '')),
  });
  app = running;
  await expect.poll(() => written(running)).toBe(2);
  const { page, problems } = await openPage(browser, running.url ?? '');
  const status = (text: string) =>
    page.locator('#status', { hasText: new RegExp(`^${text}$`) }).waitFor({ timeout: 5_000 });
  await status('running');

  await page.getByRole('button', { name: 'Pause the run' }).click();
  await status('paused');
  await produce('first', ['b', 'c']);
  const figures = page.locator('#inputs td.number');
  await expect.poll(() => figures.allTextContents()).toEqual(['0', '2', '2', '']); // task, position, behind; two records do not make event time certain

  await page.getByRole('button', { name: 'Savepoint…' }).click();
  await page.evaluate(axe.source);
  expect(await page.evaluate('axe.run().then(({ violations }) => violations.map(({ id }) => id))')).toEqual([]);
  await page.getByLabel('Name').fill('before v2');
  await page.getByRole('button', { name: 'Take the savepoint' }).click();
  expect(await page.locator('#save').isVisible()).toBe(true); // no such name
  await page.getByLabel('Name').fill('before-v2');
  await page.keyboard.press('Enter');
  const file = savepointFile(join(folder, 'first'), 'before-v2');
  await page.locator('#run-note', { hasText: `savepoint written: ${file}` }).waitFor({ timeout: 10_000 });
  expect(written(running)).toBe(2);
  await status('paused'); // as it was before

  await page.getByRole('button', { name: 'Resume the run' }).click();
  await status('running');
  await expect.poll(() => written(running)).toBe(3);

  await page.getByRole('button', { name: 'Stop the run…' }).click();
  await page.getByRole('button', { name: 'Stop this process' }).click();
  await status('the run has ended');
  await running.finished;
  expect(lines).toEqual([
    '127.0.0.1 pauses the run',
    '127.0.0.1 takes the savepoint "before-v2"',
    `savepoint "before-v2" is written: ${file}`,
    '127.0.0.1 resumes the run',
    '127.0.0.1 stops this process',
  ]);
  expect(problems).toEqual([]);

  // The state is that of the pause: `a` and `b` have been seen, `c` has not.
  await produce('second', ['a', 'b', 'c']);
  const second = await openProfile(config('second'));
  await restoreSavepoint(second, orders, { file, positions: 'earliest' });
  await second.close();
  app = await start(orders, { data: join(folder, 'second'), untilEnd: true, env: {} });
  await app.finished;
  expect(written(app) - 2).toBe(1);
});
