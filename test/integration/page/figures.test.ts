import { readdirSync } from 'node:fs';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { kafka } from '../../../connectors/kafka/index.js';
import { openBrowser, openPage, openTab } from '../../../scripts/browser.mjs';
import { dedupe, expectations, hours, json, topology, validate } from '../../../src/index.js';
import { runTopology } from '../../../src/runtime/index.js';
import { serveMonitoring } from '../../../src/server/http.js';
import { MemoryProfile } from '../../../src/testing/memory-profile.js';
import type { Topology } from '../../../src/topology/index.js';
import { noInference } from '../../memory.js';
import { type Drawn, describedBy } from '../../server/described.js';
import { orders } from '../../server/orders.js';
import { closeServed, served } from './served.js';

let browser: Browser;
let topologies: readonly Topology[] = [];
beforeAll(async () => {
  browser = await openBrowser();
  topologies = [orders, ...(await bundled())];
});
afterAll(() => browser?.close());
afterEach(async () => {
  for (const context of browser.contexts()) await context.close();
  await closeServed();
});

/** Every topology that a file of `topologies` exports. */
async function bundled(): Promise<Topology[]> {
  const folder = new URL('../../../topologies/', import.meta.url);
  const files = readdirSync(folder).map((file) => (file.endsWith('.ts') ? file : `${file}/index.ts`));
  const modules = await Promise.all(files.map((file) => import(new URL(file, folder).pathname)));
  const isTopology = (value: unknown): value is Topology =>
    typeof value === 'object' && value !== null && 'sources' in value && 'steps' in value && 'sinks' in value;
  return modules.flatMap((module) => Object.values(module).filter(isTopology));
}

interface Event {
  readonly n: number;
  readonly timeMs: number;
}

async function drawnOn(page: Page): Promise<Drawn> {
  const titles = async (selector: string) => (await page.locator(`${selector} > title`).allTextContents()).sort();
  const guarantees: string[] = [];
  for (const node of await page.locator('.node.sink').all()) {
    await node.press('Enter');
    const [, guarantee] = ((await page.locator('#drawer-kind').textContent()) ?? '').split(' · ');
    guarantees.push(`${await page.locator('#drawer-title').textContent()}: ${guarantee}`);
    await page.keyboard.press('Escape');
  }
  const nodes = (await titles('.node')).map((title) => title.replace('; it keeps state', ''));
  return { nodes, lines: await titles('.edge'), guarantees: guarantees.sort() };
}

describe('the live page', () => {
  it('draws what `describe` prints, for every topology of the repository', async () => {
    expect(topologies.length).toBeGreaterThan(15);
    const context = await browser.newContext();
    for (const topology of topologies) {
      const { page, problems } = await openTab(context, await served(topology));
      expect(await drawnOn(page), topology.name).toEqual(describedBy(topology));
      expect(problems, topology.name).toEqual([]);
      await page.close();
    }
  });

  it('shows the figures of /metrics, at most a tick old', async () => {
    const profile = new MemoryProfile(2);
    const records = 6_000;
    for (let n = 0; n < records; n++)
      profile.append('events', n % 2, [
        { key: null, value: new TextEncoder().encode(JSON.stringify({ n: n % 5_000, timeMs: n })), timestampMs: n },
      ]);
    const events = topology('events', { deadLetters: kafka.deadLetterSink({ topic: 'dead' }) }, (t) => {
      t.source(
        'events',
        kafka.source<Event>({ topic: 'events', schema: json<Event>(), eventTime: ({ timeMs }) => timeMs }),
      )
        .via('dedupe', dedupe({ key: ({ n }) => String(n), retention: hours(1), keysMax: 10_000 }))
        .via('small', validate(expectations<Event>().range('n', 0, 4_499)))
        .to('out', kafka.sink({ topic: 'out', schema: json<Event>() }));
    });
    const running = await runTopology(events, {
      profile,
      inference: noInference,
      bounded: true,
      recordsPerSecondMax: 1_500,
    });
    const monitoring = await serveMonitoring({
      ...{ host: '127.0.0.1', port: 0, token: undefined, profile: 'embedded' as const },
      ...{ topology: events, running, isReady: () => true },
    });
    try {
      const { page, problems } = await openPage(browser, monitoring.url);
      for (let look = 0; look < 3; look++) {
        const before = await scraped(monitoring.url);
        await nextFigures(page);
        const shown = await figuresOn(page);
        const after = await scraped(monitoring.url);
        for (const [name, value] of Object.entries(shown)) {
          const all = [before[name], after[name]].map(Number);
          const why = `${name} of ${JSON.stringify({ before, shown, after })}`;
          expect(value, why).toBeGreaterThanOrEqual(Math.min(...all));
          expect(value, why).toBeLessThanOrEqual(Math.max(...all));
        }
      }
      await running.finished;
      await nextFigures(page);
      await nextFigures(page);
      const last = {
        ...{ events: records, dedupe: 5_000, small: 4_500, out: 4_500, dead: 500 },
        ...{ 'position of task 0': records / 2, 'position of task 1': records / 2 },
      };
      expect(await figuresOn(page)).toEqual(last);
      expect(await scraped(monitoring.url)).toEqual(last);
      expect(problems).toEqual([]);
    } finally {
      await running.stop();
      await monitoring.close();
    }
  });
});

/** Waits for the next picture, with its tables, which come a frame later. */
async function nextFigures(page: Page): Promise<void> {
  const before = await page.locator('#facts').textContent();
  await expect.poll(() => page.locator('#facts').textContent(), { timeout: 5_000 }).not.toBe(before);
  await page.evaluate('new Promise((done) => requestAnimationFrame(() => setTimeout(() => setTimeout(done))))');
}

const numberIn = (text: string): number => Number(text.replaceAll(',', ''));

/** What each box says that has come out of it, and what the tiles and the table of inputs say. */
async function figuresOn(page: Page): Promise<Record<string, number>> {
  const boxes = (await page.evaluate(
    "[...document.querySelectorAll('.node')].map((box) => [box.dataset.id, box.querySelectorAll('text')[2].textContent])",
  )) as [id: string, figures: string][];
  const inputs = await page.locator('#inputs tr').all();
  const cells = await Promise.all(inputs.slice(1).map((row) => row.locator('td').allTextContents()));
  return {
    ...Object.fromEntries(boxes.map(([id, figures]) => [id, numberIn(figures.split(' · ')[1] ?? '')])),
    dead: numberIn((await page.locator('#dead').textContent()) ?? ''),
    ...Object.fromEntries(cells.map(([, task, position = '']) => [`position of task ${task}`, numberIn(position)])),
  };
}

async function scraped(url: string): Promise<Record<string, number>> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const sumOf = (name: string, ...labels: readonly string[]) =>
    [...text.matchAll(new RegExp(`^millrace_${name}\\{(.*)\\} (\\d+)$`, 'gm'))].reduce(
      (sum, [, own = '', value]) => (labels.every((label) => own.includes(label)) ? sum + Number(value) : sum),
      0,
    );
  const counted = (step: string, event: string) => sumOf('step_events_total', `step="${step}"`, `event="${event}"`);
  return {
    ...{ events: counted('events', 'read'), dedupe: counted('dedupe', 'out'), small: counted('small', 'out') },
    ...{ out: counted('out', 'written'), dead: sumOf('dead_letters_total') },
    ...Object.fromEntries([0, 1].map((task) => [`position of task ${task}`, sumOf('position', `partition="${task}"`)])),
  };
}
