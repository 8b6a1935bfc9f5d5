import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { openBrowser, openPage, openTab } from '../../../scripts/browser.mjs';
import { MillraceError } from '../../../src/core/index.js';
import { DurationHistogram, type Running, type RunSnapshot } from '../../../src/runtime/index.js';
import type { FoundRecord, TopicTrail } from '../../../src/server/record-route.js';
import { someSnapshot } from '../../cli/snapshot.js';
import { orders } from '../../server/orders.js';
import { closeServed, livelySnapshot, narrowScreens, served, unreachedByTab, violationsOf } from './served.js';

let browser: Browser;
beforeAll(async () => {
  browser = await openBrowser();
});
afterAll(() => browser?.close());
afterEach(async () => {
  for (const context of browser.contexts()) await context.close();
  await closeServed();
});

const textOf = (page: Page, selector: string) => page.locator(selector).textContent();
const focused = (page: Page) =>
  page.evaluate('document.activeElement.querySelector("title")?.textContent ?? document.activeElement.id');

describe('the live page in a browser', () => {
  it('works in seven tabs, and goes on when the one with the stream is closed', async () => {
    const lively = livelySnapshot();
    const url = await served(orders, () => lively);
    const { context, page, problems } = await openPage(browser, url);
    const others = [];
    for (let tab = 2; tab <= 7; tab++) others.push(await openTab(context, url));
    const moves = async (each: Page) => {
      const before = await textOf(each, '#facts');
      await expect.poll(() => textOf(each, '#facts'), { timeout: 5_000 }).not.toBe(before);
    };
    await Promise.all([page, ...others.map((each) => each.page)].map((each) => each.locator('[data-is=ok]').waitFor()));
    await Promise.all([page, ...others.map((each) => each.page)].map(moves));
    await page.close();
    await Promise.all(others.map((each) => moves(each.page)));
    expect([...problems, ...others.flatMap((each) => each.problems)]).toEqual([]);
  });

  it('shows a sink that goes down and comes back, restored tasks and lost batches, each with its time', async () => {
    let change: Partial<RunSnapshot> = { outages: [] };
    const url = await served(orders, () => ({ ...someSnapshot(), ...change }));
    const { page, problems } = await openPage(browser, url);
    await page.locator('[data-is=ok]').waitFor();
    const [model] = someSnapshot().models;
    change = {
      outages: [{ sink: 'history', sinceMs: Date.now(), cause: 'connect ECONNREFUSED' }],
      health: [{ subtopology: 'orders', partition: 0, restarts: 4, stalls: 1, lastRestarts: [], waitsFor: undefined }],
      models: model ? [{ ...model, lost: model.lost + 2 }] : [],
    };
    await page.locator('[data-is=degraded]').waitFor({ timeout: 3_000 });
    expect(await page.locator('.node.down title').textContent()).toBe('sink history, kafka.sink');
    change = { ...change, outages: [] };
    await page.locator('[data-is=ok]').waitFor({ timeout: 3_000 });
    expect((await page.locator('#events li').allTextContents()).map((text) => text.replace(/^[\d:]{8} /, ''))).toEqual([
      'history works again',
      'history is down: connect ECONNREFUSED',
      '2 batch(es) were lost with their inference worker, and sent again',
      '1 task(s) restored from their checkpoints',
    ]);
    expect(problems).toEqual([]);
  });

  it('shows which inputs wait for a sink that has been down since the start, and tasks that are being opened', async () => {
    const outages = [{ sink: 'history', sinceMs: Date.now() - 60_000, cause: 'connect ECONNREFUSED' }];
    const nothing = { tasks: [], health: [], counters: [], slices: [], models: [] };
    let change: Partial<RunSnapshot> = { ...nothing, outages };
    const url = await served(orders, () => ({ ...someSnapshot(), ...change }));
    const { page, problems } = await openPage(browser, url);
    await page.locator('[data-is=degraded]').waitFor();
    expect((await fetch(`${url}/health/ready`)).status).toBe(503);
    expect(await textOf(page, '#warnings')).toMatch(/^history has been down for 1 min .*: connect ECONNREFUSED$/);
    expect(await textOf(page, '#inputs')).toMatch(
      /the run waits for history, down for 1 min .*How far payments, orders are behind is known once its tasks are open/,
    );
    change = { ...nothing, health: someSnapshot().health, outages };
    const states = () => page.locator('#inputs td:last-child').allTextContents();
    await expect
      .poll(states)
      .toEqual([
        expect.stringMatching(/^not open yet, waits for history, down for 1 min/),
        expect.stringMatching(/^not open yet, waits for history, down for 1 min/),
      ]);
    change = { ...nothing, health: someSnapshot().health, outages: [] };
    await expect.poll(states).toEqual(['not open yet', 'not open yet']);
    expect(await textOf(page, '#status')).toBe('opening its tasks');
    change = { outages: [] };
    await page.locator('#status', { hasText: 'running' }).waitFor({ timeout: 3_000 });
    expect(problems).toEqual([]);
  });

  it('shows what a step counts and stores, its latency and errors, the state of a key, checkpoints and restarts', async () => {
    const asked: unknown[] = [];
    let looks = 0;
    const snapshot = () => {
      const latency = new DurationHistogram();
      looks += 1;
      latency.record(1.5, 100 * looks);
      return { ...someSnapshot(), latencies: new Map([['dedupe', latency]]) };
    };
    const url = await served(orders, snapshot, undefined, async (...question) => {
      asked.push(question);
      const value = question[1] === 'nobody' ? undefined : { seen: '<b>' };
      return { kind: 'answer', value, partition: 0, epoch: 7 };
    });
    const { context, page, problems } = await openPage(browser, url);
    await page.locator('#epochs td').first().waitFor();
    const [, ...epoch] = await page.locator('#epochs td').allTextContents();
    expect(epoch.toSpliced(1, 1)).toEqual(['7', '30 ms', '2.0 ms', '8.0 ms', '4.0 ms', '9.0 kB']);
    await page.locator('.node', { hasText: 'dedupe' }).first().click();
    expect(await textOf(page, '#drawer-figures')).toMatch(
      /latencyp50 1\.7 ms, p99 1\.7 ms since its source received it, last 10 s.*duplicates5state stored40\.0 kB$/,
    );
    expect(await page.locator('.node', { hasText: 'dedupe' }).first().textContent()).toContain('p99 1.7 ms');
    await page.getByLabel('State of a key').fill('a/b');
    await page.keyboard.press('Enter');
    await page.locator('#state-shown', { hasText: '"seen": "<b>"' }).waitFor();
    await page.getByLabel('State of a key').fill('nobody');
    await page.keyboard.press('Enter');
    await page.locator('#state-shown', { hasText: 'nothing is stored for this key' }).waitFor();
    expect(asked).toEqual([
      ['dedupe', 'a/b', undefined],
      ['dedupe', 'nobody', undefined],
    ]);
    await page.locator('#close').click();
    await page.locator('.node', { hasText: 'history' }).first().click();
    expect(await page.locator('#state-of').isHidden()).toBe(true);
    const refused = ['0', 'connect ECONNREFUSED 127.0.0.1:8123 (history)'];
    expect((await page.locator('#drawer-restarts td').allTextContents()).slice(1)).toEqual(refused);
    expect(await page.locator('#drawer-errors-of').isHidden()).toBe(true);
    expect(await page.locator('#restarts tr').count()).toBe(3);
    await page.locator('#close').click();
    await page.locator('.node', { hasText: 'source orders' }).click();
    const error = ['1970-01-01 00:00:02', 'truncated', 'orders.v1/0/17', '0'];
    expect(await page.locator('#drawer-errors td').allTextContents()).toEqual(error);

    // What the first page saw is there for the second one.
    const { page: late, problems: others } = await openTab(context, url);
    await late.locator('#lag-line path[d^=M]').waitFor({ state: 'attached' });
    expect(await late.locator('#lag-line').getAttribute('aria-label')).toBe('Records behind, last 10 minutes');
    await late.locator('#span').click();
    await late.getByRole('img', { name: 'Records behind, last 2 hours' }).waitFor();
    expect(others).toEqual([]);
    expect(problems).toEqual([]);
  });

  it('shows metrics by slice, beside their baselines and with their intervals', async () => {
    const { page, problems } = await openPage(browser, await served());
    await page.locator('#measures td').first().waitFor();
    const rows = await page.locator('#measures tr').all();
    const cells = await Promise.all(rows.slice(1).map((row) => row.locator('td').allTextContents()));
    const [version, time] = ['a1b2@7', '1970-01-01 00:00'];
    expect(cells).toEqual([
      ['model', 'roc_auc', 'all', '0.75', '0.7 to 0.8', 'hourRate 0.625, lastClass 0.5', version, time],
      ['model', 'distance:delay', 'all', '0.125', '', '', version, time],
      ['model', 'roc_auc', 'origin=JFK', '0.8125', '0.6 to 0.95', '', version, time],
    ]);
    expect(await page.locator('#quality-rules').isHidden()).toBe(true);
    expect(problems).toEqual([]);
  });

  it('shows what the topics and the state have of one record', async () => {
    const evil = '<img src=x onerror="document.title=1">';
    const record = (topic: string, seconds: number, more: Partial<FoundRecord> = {}): FoundRecord => ({
      ...{ place: `${topic}/0/${seconds}`, partition: 0, offset: seconds, bytes: 20 },
      ...{ timestamp: new Date(seconds * 1_000).toISOString(), origin: undefined, letter: undefined },
      ...{ values: { key: evil, record: evil }, ...more },
    });
    const trail = (role: TopicTrail['role'], node: string, ...records: readonly FoundRecord[]): TopicTrail => ({
      ...{ role, node, topic: `${node}.v1`, entries: 500, scanned: 400, found: records.length, records },
    });
    const [asked, states]: [string[], unknown[]] = [[], []];
    const query: Running['query'] = async (...question) => {
      states.push(question);
      return { kind: 'answer', value: { seen: evil }, partition: 0, epoch: 7 };
    };
    const url = await served(orders, someSnapshot, undefined, query, {
      async find(id) {
        asked.push(id);
        const topics = [
          trail(
            'source',
            'orders',
            record('orders.v1', 119, { way: `dropped by large (${evil})` }),
            record('orders.v1', 121, { values: undefined }),
          ),
          trail('source', 'payments', record('payments.v1', 60)),
          trail('dead letters', 'dead letters', record('dead', 120, { letter: { reason: evil, step: 'large' } })),
          trail('sink', 'history', record('paid.v1', 122, { origin: 'orders.v1/0/119' })),
        ];
        return { isCut: false, topics };
      },
    });
    const { page, problems } = await openPage(browser, url);
    await page.locator('[data-is=degraded]').waitFor();
    await page.getByLabel('Key, id or').fill(evil);
    await page.keyboard.press('Enter');
    await page.locator('#record-rows td').first().waitFor();
    expect([asked, states]).toEqual([[evil], [['dedupe', evil, 0]]]);
    const rows = await page.locator('#record-rows tr').all();
    const cells = await Promise.all(rows.slice(1).map((row) => row.locator('td').allTextContents()));
    const content = `${evil}: ${evil}`;
    expect(cells.map(([, ...rest]) => rest)).toEqual([
      ['payments: its task is not shown here, or not open yet', 'payments.v1/0/60', content],
      [`orders: read and committed; dropped by large (${evil})`, 'orders.v1/0/119', content],
      [`dead letter of large: ${evil}`, 'dead/0/120', content],
      ['orders: not read yet', 'orders.v1/0/121', '20 B'],
      ['written by history', 'paid.v1/0/122, from orders.v1/0/119', content],
      ['state of dedupe', 'checkpoint 7', JSON.stringify({ seen: evil })],
    ]);
    expect(await textOf(page, '#record-note')).toContain('400 of 500 entries of orders.v1');
    expect(await page.locator('img').count()).toBe(0);
    expect(await violationsOf(page)).toEqual([]);
    expect(problems).toEqual([]);
  });

  it('says what cannot be done now, and the browser logs no error of it', async () => {
    const retry: Running['query'] = async () => ({ kind: 'retry', why: 'task 3 is moving' });
    const url = await served(orders, someSnapshot, undefined, retry, {
      async find() {
        throw new MillraceError('config', 'others are looking for records', { hint: 'try again in a moment' });
      },
    });
    const { page, problems } = await openPage(browser, url);
    await page.locator('[data-is=degraded]').waitFor();
    await page.locator('.node', { hasText: 'dedupe' }).first().click();
    await page.getByLabel('State of a key').fill('a');
    await page.keyboard.press('Enter');
    await page.locator('#state-shown', { hasText: /^task 3 is moving$/ }).waitFor();
    await page.keyboard.press('Escape');
    await page.getByLabel('Key, id or').fill('a');
    await page.keyboard.press('Enter');
    await page.locator('#record-note', { hasText: 'others are looking for records; try again in a moment' }).waitFor();
    expect(problems).toEqual([]);
  });

  it('can be used by the keyboard alone', async () => {
    const { page, problems } = await openPage(browser, await served());
    await page.locator('[data-is]').waitFor();
    const reached: unknown[] = [];
    for (let tab = 0; tab < 30; tab++) {
      await page.keyboard.press('Tab');
      const at = await focused(page);
      if (at === '' || reached.includes(at)) continue;
      reached.push(at);
    }
    const boxes = [
      'source payments',
      'source orders',
      'step dedupe',
      'step large',
      'step paid',
      'sink history',
      'sink newest',
    ];
    for (const box of boxes)
      expect(
        reached.some((each) => String(each).startsWith(box)),
        box,
      ).toBe(true);
    expect(reached).toContain('freeze');

    await page.locator('.node', { hasText: 'dedupe' }).first().focus();
    await page.keyboard.press('Enter');
    expect(await page.locator('#drawer').isVisible()).toBe(true);
    expect(await textOf(page, '#drawer-title')).toBe('dedupe');
    expect(await textOf(page, '#drawer')).toContain('keysMax');
    expect(await focused(page)).toBe('close');
    await page.keyboard.press('Escape');
    expect(await page.locator('#drawer').isHidden()).toBe(true);
    expect(await focused(page)).toMatch(/^step dedupe/);
    await page.keyboard.press('ArrowRight');
    expect(await focused(page)).toMatch(/^step large/);
    await page.keyboard.press('ArrowLeft');
    expect(await focused(page)).toMatch(/^step dedupe/);

    await page.locator('#freeze').focus();
    await page.keyboard.press(' ');
    expect(await page.locator('#freeze').getAttribute('aria-pressed')).toBe('true');
    expect(await unreachedByTab(page)).toEqual([]);
    expect(problems).toEqual([]);
  });

  for (const viewport of narrowScreens)
    it.each(['light', 'dark'] as const)(`is accessible on ${viewport.width} pixels, %s`, async (colorScheme) => {
      const { page } = await openPage(browser, await served(), { colorScheme, viewport });
      await page.locator('[data-is=degraded]').waitFor();
      expect(await violationsOf(page)).toEqual([]);
      await page.locator('.node').first().click();
      expect(await violationsOf(page)).toEqual([]);
    });

  it('shows hostile names, reasons, causes and values as text', async () => {
    const evil = '<img src=x onerror="document.title=\'run\'"><script>document.title="run"</script>\'"&';
    const [first] = orders.sources as readonly [(typeof orders.sources)[number]];
    const hostile = { id: `a${evil}`, source: { ...first.source, topic: evil, settings: { [evil]: evil } } };
    const steps = orders.steps.map((step) => ({ ...step, rules: [{ name: evil, severity: evil, text: evil }] }));
    const topology = { ...orders, name: evil, sources: [...orders.sources, hostile], steps };
    const { page, problems } = await openPage(
      browser,
      await served(topology, () => {
        const usual = someSnapshot();
        const [task] = usual.tasks;
        const counters = [
          { step: hostile.id, name: 'read', value: 7 },
          { step: hostile.id, name: `dead:${evil}`, value: 7 },
        ];
        return {
          ...usual,
          counters,
          tasks: task ? [{ ...task, positions: { [evil]: { offset: 1, mergeTimeMs: 0 } } }] : [],
          slices: usual.slices.map(({ row, interval }) => ({
            row: { ...row, step: evil, name: evil, slice: evil, version: evil },
            interval,
          })),
          models: usual.models.map((each) => ({ ...each, model: evil, provider: evil })),
          outages: [{ sink: evil, sinceMs: 0, cause: evil }],
          health: usual.health.map((each) => ({ ...each, lastRestarts: [{ atMs: 1, cause: evil, where: evil }] })),
        };
      }),
    );
    await page.locator('[data-is=degraded]').waitFor();
    await page.locator('.node', { hasText: `source a${evil}` }).click();
    expect(await textOf(page, '#drawer-title')).toBe(hostile.id);
    expect(await textOf(page, '#drawer-settings')).toBe(`${evil}${evil}topic${evil}`);
    const places = [
      '#topology',
      '#warnings',
      '#inputs',
      '#measures',
      '#quality',
      '#models',
      '#dead-letters',
      '#restarts',
    ];
    for (const place of places) expect(await textOf(page, place), place).toContain(evil);
    expect(await page.locator('img, script:not([src="page.js"])').count()).toBe(0);
    expect(await page.title()).toBe(`${evil} – Millrace`);
    expect(problems).toEqual([]);
  });
});
