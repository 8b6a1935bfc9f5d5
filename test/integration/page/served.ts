import axe from 'axe-core';
import type { Page } from 'playwright-core';
import type { Running, RunSnapshot } from '../../../src/runtime/index.js';
import { serveMonitoring } from '../../../src/server/http.js';
import type { RecordDesk } from '../../../src/server/record-route.js';
import type { Topology } from '../../../src/topology/index.js';
import { someSnapshot } from '../../cli/snapshot.js';
import { orders } from '../../server/orders.js';

const open: { close(): Promise<void> }[] = [];

/** Closes every server that was opened here. */
export async function closeServed(): Promise<void> {
  for (const each of open.splice(0)) await each.close();
}

/** Serves the page of a topology, for a run or for what a test says that one is like. */
export async function served(
  topology: Topology = orders,
  snapshot: () => RunSnapshot = someSnapshot,
  isReady = () => true,
  query: Running['query'] = async () => ({ kind: 'retry', why: 'not now' }),
  records?: RecordDesk,
): Promise<string> {
  const monitoring = await serveMonitoring({
    host: '127.0.0.1',
    port: 0,
    token: undefined,
    topology,
    profile: 'embedded',
    running: { snapshot, query },
    records,
    isReady,
  });
  open.push(monitoring);
  return monitoring.url;
}

/** A run that reads a thousand records a second. */
export function livelySnapshot(): RunSnapshot {
  const startedMs = Date.now();
  return new Proxy(someSnapshot(), {
    get(snapshot, name: keyof RunSnapshot) {
      if (name === 'outages') return [];
      if (name !== 'counters') return snapshot[name];
      return snapshot.counters.map((each) => ({ ...each, value: each.value + Date.now() - startedMs }));
    },
  });
}

/** A narrow phone, and what is left of 1,280 pixels at a zoom of 200 %. */
export const narrowScreens = [
  { width: 360, height: 740 },
  { width: 640, height: 400 },
] as const;

interface Violation {
  readonly id: string;
  readonly nodes: readonly { readonly target: unknown; readonly failureSummary?: string }[];
}

/** What axe finds on a page as it is, and whether it must be scrolled sideways. */
export async function violationsOf(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  const { violations } = (await page.evaluate('axe.run()')) as { violations: readonly Violation[] };
  const overflow = await page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth');
  return [
    ...violations.flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.target} ${node.failureSummary}`)),
    ...(overflow === 0 ? [] : [`${overflow} pixels too wide`]),
  ];
}

/** What can have the focus and is not reached by the tab key. */
export async function unreachedByTab(page: Page): Promise<unknown> {
  for (let isNew = true; isNew; ) {
    await page.keyboard.press('Tab');
    // Behind the last one the page itself has it, once.
    isNew = (await page.evaluate(`(() => {
      const { dataset } = document.activeElement;
      const isNew = dataset.reached === undefined;
      dataset.reached = 'yes';
      return isNew;
    })()`)) as boolean;
  }
  return page.evaluate(`[...document.querySelectorAll('button, input, select, a[href], [tabindex="0"]')]
    .filter((each) => each.checkVisibility() && !each.disabled && each.dataset.reached === undefined)
    .map((each) => each.outerHTML.slice(0, 200))`);
}
