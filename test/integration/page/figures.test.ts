import { readdirSync } from 'node:fs';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { kafka } from '../../../connectors/kafka/index.js';
import { openBrowser, openPage, openTab } from '../../../scripts/browser.mjs';
import { dedupe, hours, json, topology } from '../../../src/index.js';
import { runTopology } from '../../../src/runtime/index.js';
import { serveMonitoring } from '../../../src/server/http.js';
import { MemoryProfile } from '../../../src/testing/memory-profile.js';
import { deliveryOn, describe as describeTopology, type Topology } from '../../../src/topology/index.js';
import { noInference } from '../../memory.js';
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

interface Drawn {
  readonly nodes: readonly string[];
  readonly lines: readonly string[];
  readonly guarantees: readonly string[];
}

/** What the text says that a drawing must show: boxes, lines between them, and the guarantees of sinks. */
function describedBy(topology: Topology): Drawn {
  const heads = describeTopology(topology, deliveryOn('embedded'))
    .split('\n')
    .filter((line) => /^(source|step|repartition|sink) /.test(line))
    .map((line) => {
      const [, text = '', guarantee] = /^(.*?)(?: {2}\[([\w-]+)\])?$/.exec(line.trimEnd()) ?? [];
      const [role = '', id = '', ...rest] = text.split(/ {2,}/);
      return { role, id, inputs: rest.length > 1 ? (rest[0] ?? '') : '', kind: rest.at(-1) ?? '', guarantee };
    })
    .filter(({ role, id }) => role !== 'sink' || !/^(deadLetters|metrics(-\d+)?)$/.test(id));
  const ids = new Set(heads.map(({ id }) => id));
  const nodes = heads.map(({ role, id, kind }) =>
    role === 'repartition' ? `${role} ${id}, ${role}` : `${role} ${id}, ${kind.replace(/ \(\w+\)$/, '')}`,
  );
  const lines = heads.flatMap(({ id, inputs }) =>
    inputs === ''
      ? []
      : inputs.split(', ').map((input) => {
          const [, name, wire = ''] = /^(?:<-|(.+):) (.+)$/.exec(input) ?? [];
          // A step with several outputs is followed by the name of one.
          const from = ids.has(wire) ? wire : wire.replace(/\.[^.]+$/, '');
          return `${from} to ${id}${name === undefined ? '' : ` (${name})`}`;
        }),
  );
  const guarantees = heads.flatMap(({ role, id, guarantee }) => (role === 'sink' ? [`${id}: ${guarantee}`] : []));
  return { nodes: nodes.sort(), lines: lines.sort(), guarantees: guarantees.sort() };
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
          expect(value, `${name} of ${JSON.stringify({ before, shown, after })}`).toBeGreaterThanOrEqual(
            before[name] as number,
          );
          expect(value, name).toBeLessThanOrEqual(after[name] as number);
        }
      }
      await running.finished;
      await nextFigures(page);
      await nextFigures(page);
      expect(await figuresOn(page)).toEqual({ events: records, dedupe: 5_000, out: 5_000 });
      expect(await scraped(monitoring.url)).toEqual({ events: records, dedupe: 5_000, out: 5_000 });
      expect(problems).toEqual([]);
    } finally {
      await running.stop();
      await monitoring.close();
    }
  });
});

/** Waits for the next picture. */
async function nextFigures(page: Page): Promise<void> {
  const before = await page.locator('#facts').textContent();
  await expect.poll(() => page.locator('#facts').textContent(), { timeout: 5_000 }).not.toBe(before);
}

/** What each box says that has come out of it. */
async function figuresOn(page: Page): Promise<Record<string, number>> {
  const all = await page.locator('.node').allTextContents();
  return Object.fromEntries(
    all.map((text) => {
      const [, id = '', total = ''] = /(?:source|step|sink) (\w+),.*\/s · ([\d,]+)/.exec(text) ?? [];
      return [id, Number(total.replaceAll(',', ''))];
    }),
  );
}

async function scraped(url: string): Promise<Record<string, number>> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const sumOf = (step: string, event: string) =>
    [...text.matchAll(/^millrace_step_events_total\{(.*)\} (\d+)$/gm)].reduce(
      (sum, [, labels = '', value]) =>
        labels.includes(`step="${step}"`) && labels.includes(`event="${event}"`) ? sum + Number(value) : sum,
      0,
    );
  return { events: sumOf('events', 'read'), dedupe: sumOf('dedupe', 'out'), out: sumOf('out', 'written') };
}
