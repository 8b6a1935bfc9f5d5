import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { kafka } from '../../../connectors/kafka/index.js';
import { openBrowser, openPage } from '../../../scripts/browser.mjs';
import { expectations, json, topology, validate } from '../../../src/index.js';
import { resolveConfig } from '../../../src/profiles/config.js';
import { type OpenProfile, openProfile } from '../../../src/profiles/profiles.js';
import { openDeadLetterDesk } from '../../../src/run/dead-letter-desk.js';
import { openRecordDesk } from '../../../src/run/record-desk.js';
import { type Running, runTopology } from '../../../src/runtime/index.js';
import { runControl } from '../../../src/server/actions/run-control.js';
import { type Monitoring, serveMonitoring } from '../../../src/server/http.js';
import { readTopic } from '../../../src/topics/read-topic.js';
import { noInference } from '../../memory.js';
import { narrowScreens, unreachedByTab, violationsOf } from './served.js';

interface Event {
  readonly n: number;
  readonly note: string;
}
const EVIL = '<img src=x onerror=document.title=1>';
const events = topology('events', { deadLetters: kafka.deadLetterSink({ topic: 'events.dead' }) }, (t) => {
  t.source('events', kafka.source<Event>({ topic: 'events', schema: json<Event>() }))
    .via('check', validate(expectations<Event>().range('n', 0, 1e9)))
    .to('out', kafka.sink({ topic: 'out', schema: json<Event>() }));
});
const PARTITIONS = 10;
const LETTERS = 1_000;

let browser: Browser;
let folder: string;
let profile: OpenProfile;
let running: Running;
const monitorings: Monitoring[] = [];
const lines: string[] = [];
/** Batches of a replay that may be appended. */
let batchesMax = Number.POSITIVE_INFINITY;

beforeAll(async () => {
  browser = await openBrowser();
});
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-letters-'));
  profile = await openProfile(resolveConfig({ flags: { data: folder } }));
  const producer = profile.producer();
  await producer.createTopic('events', PARTITIONS);
  for (let partition = 0; partition < PARTITIONS; partition++)
    await producer.append(
      'events',
      partition,
      Array.from({ length: LETTERS / PARTITIONS }, (_, i) => record(-1 - i)),
    );
  running = await runTopology(events, { profile, inference: noInference });
  await expect.poll(letters, { timeout: 20_000 }).toBe(LETTERS);
});
afterEach(async () => {
  batchesMax = Number.POSITIVE_INFINITY;
  lines.length = 0;
  for (const context of browser.contexts()) await context.close();
  for (const each of monitorings.splice(0)) await each.close();
  await running.stop();
  await profile.close();
  await rm(folder, { recursive: true, force: true });
});
afterAll(() => browser?.close());

const record = (n: number) => ({
  key: Buffer.from(EVIL),
  value: Buffer.from(JSON.stringify({ n, note: EVIL })),
  timestampMs: 1_700_000_000_000,
});
const letters = async () => (await profile.endOffsets('events.dead')).reduce((sum, end) => sum + end, 0);

async function served({ isAllowed = true, showsValues = true } = {}): Promise<string> {
  const desk = openDeadLetterDesk({
    topology: events,
    profile: {
      ...profile,
      producer: () => {
        const producer = profile.producer();
        let batches = 0;
        return {
          ...producer,
          async append(...batch) {
            batches += 1;
            while (batches > batchesMax) await new Promise((resolve) => setTimeout(resolve, 20));
            await producer.append(...batch);
          },
        };
      },
    },
    deadLetterKey: '',
    showsValues,
    onAction: (line) => void lines.push(line.replace(/ \(request [\w-]+\)/, '')),
  });
  const control = runControl({
    ...{ topology: events.name, token: undefined, running, drain: () => undefined },
    save: () => Promise.reject(new Error('there is no folder')),
    onAction: (line) => void lines.push(line.replace(/ \(request [\w-]+\)/, '')),
  });
  const records = openRecordDesk({
    ...{ topology: events, profile, running, deadLetterKey: '', showsValues },
    onAction: (line) => void lines.push(line.replace(/ \(request [\w-]+\)/, '')),
  });
  const monitoring = await serveMonitoring({
    ...{ host: '127.0.0.1', port: 0, token: undefined, profile: 'embedded' as const, topology: events },
    ...{ running, records, isReady: () => true },
    actions: { isAllowed, deadLetters: desk, control },
  });
  monitorings.push(monitoring);
  return monitoring.url;
}

it('replays 1,000 dead letters to their end, although the page is closed half-way', async () => {
  const url = await served();
  const { context, page, problems } = await openPage(browser, url);
  await page.getByRole('button', { name: 'Replay all that match…' }).click();
  await page.getByText('1,000 to events (10 partitions)').waitFor();
  expect(lines).toEqual([]);

  batchesMax = PARTITIONS / 2;
  await page.getByRole('button', { name: 'Send 1,000' }).click();
  await page.getByText('500 of 1,000 sent').waitFor();
  expect(await page.locator('#replays progress').getAttribute('value')).toBe('0.5');
  expect(problems).toEqual([]);
  await context.close();
  batchesMax = Number.POSITIVE_INFINITY;

  // They fail again, and are left out of the next replay.
  await expect.poll(letters, { timeout: 20_000 }).toBe(2 * LETTERS);
  const again = (await openPage(browser, url)).page;
  await again.locator('#replays', { hasText: '1,000 sent to events (10 partitions)' }).waitFor();
  expect(lines).toEqual([
    '127.0.0.1 replays all dead letters of events.dead: replay-1, 1,000 records',
    'replay-1 sent: 1,000 records sent',
  ]);
  const sent = new Set<string>();
  for await (const { partition, record: found } of readTopic(profile, 'events')) {
    const from = found.headers?.find(([name]) => name === 'millrace.replayed')?.[1];
    if (from) sent.add(`${partition} ${Buffer.from(from)}`);
  }
  expect(sent.size).toBe(LETTERS);
  expect((await profile.endOffsets('events')).reduce((sum, end) => sum + end, 0)).toBe(2 * LETTERS);
});

it('is used by the keyboard: filters, chooses single dead letters, sends them, and stops the run', async () => {
  const { page, problems } = await openPage(browser, await served());
  await page.getByRole('button', { name: 'Look' }).press('Enter');
  await page.getByText('50 of all 1,000 dead letters in events.dead').waitFor();
  const row = page.locator('#letter-rows tr').nth(1);
  expect(await row.textContent()).toMatch(
    /range:ncheckevents\/\d\/\d+.*n is -\d+.*\{"n":-\d+,"note":"<img src=x onerror=document.title=1>"\}/,
  );
  for (const place of [1, 2]) await page.locator('#letter-rows input').nth(place).press(' ');
  await page.getByRole('button', { name: 'Replay the 2 chosen…' }).press('Enter');
  await page.getByRole('button', { name: 'Send 2' }).press('Enter');
  await page.locator('#replays', { hasText: '2 sent to events' }).waitFor();
  await expect.poll(letters, { timeout: 20_000 }).toBe(LETTERS + 2);

  await page.getByLabel('Reason').selectOption('range:n');
  await page.getByLabel('also those').press(' ');
  await page.getByRole('button', { name: 'Look' }).press('Enter');
  await page.getByText('50 of all 1,002 dead letters in events.dead').waitFor();
  expect(await page.locator('#letter-note').textContent()).toContain('2 had been sent again and failed again');

  expect(await unreachedByTab(page)).toEqual([]);
  await page.getByRole('button', { name: 'Stop the run…' }).press('Enter');
  await page.getByRole('button', { name: 'Stop this process' }).press('Enter');
  await expect.poll(() => lines.at(-1)).toBe('127.0.0.1 stops this process');
  expect(problems).toEqual([]);
});

it('goes from a rule to its dead letters, and from one of them to its record', async () => {
  const { page, problems } = await openPage(browser, await served());
  await page.getByRole('button', { name: 'show the dead letters of range:n in check' }).press('Enter');
  await page.getByText('50 of all 1,000 dead letters in events.dead').waitFor();
  expect(await page.getByLabel('Reason').inputValue()).toBe('range:n');
  const rule = await page.locator('#quality td').allTextContents();
  expect(rule).toEqual(['check', 'range:n[0, 1000000000]', 'dead-letter', '1,000', '1,000', '100 %', '', 'Show']);

  await page.getByLabel('Key, id or').fill('events/3/5');
  await page.keyboard.press('Enter');
  await page.getByText('Read 1 of 1,000 entries of events, 1,000 of 1,000').waitFor();
  const rows = await page.locator('#record-rows tr').all();
  const cells = await Promise.all(rows.slice(1).map((row) => row.locator('td').allTextContents()));
  const content = `${EVIL}: {"n":-6,"note":"${EVIL}"}`;
  expect(cells.map(([, ...rest]) => rest)).toEqual([
    [
      'events: read and committed; passes check (unless it is a dead letter); to out (kafka.sink) unless a step drops it before',
      'events/3/5',
      content,
    ],
    ['dead letter of check: range:n', expect.stringMatching(/^events\.dead\/\d\/\d+, from events\/3\/5$/), content],
  ]);
  expect(await page.locator('img').count()).toBe(0);
  expect(lines.at(-1)).toMatch(/^127\.0\.0\.1 looks at the values of 2 records: events\/3\/5, events\.dead\/\d\/\d+$/);
  expect(problems).toEqual([]);
});

it('only looks where actions are not allowed, and says how they are', async () => {
  const url = await served({ isAllowed: false, showsValues: false });
  const { page, problems } = await openPage(browser, url);
  await page.getByText('start the run with --allow-actions').waitFor();
  await page.getByRole('button', { name: 'Look' }).click();
  await page.getByText('50 of all 1,000 dead letters').waitFor();
  expect(await page.getByRole('button', { name: /Replay|Stop|Send/ }).count()).toBe(0);
  expect(await page.locator('#letter-rows').textContent()).not.toContain('"n"');
  expect(problems).toEqual([]);
});

it('is accessible with all that it can show, on narrow screens, light and dark', async () => {
  const url = await served();
  for (const viewport of narrowScreens)
    for (const colorScheme of ['light', 'dark'] as const) {
      const { context, page, problems } = await openPage(browser, url, { colorScheme, viewport });
      await page.getByRole('button', { name: 'Look' }).click();
      await page.getByText('50 of all 1,000 dead letters').waitFor();
      await page.getByLabel('Key, id or').fill('events/3/5');
      await page.keyboard.press('Enter');
      await page.getByText('Read 1 of 1,000 entries of events').waitFor();
      expect(await violationsOf(page)).toEqual([]);
      await page.getByRole('button', { name: 'Stop the run…' }).click();
      expect(await violationsOf(page)).toEqual([]);
      await page.getByRole('button', { name: 'Let it run' }).click();
      expect(problems).toEqual([]);
      await context.close();
    }
});
