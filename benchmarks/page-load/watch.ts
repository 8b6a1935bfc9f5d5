import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { openBrowser } from '../../scripts/browser.mjs';
import { isIn, longestTaskMs, type Span } from './longest-task.js';

/** How large the run is that a page shows, and for how long somebody looks. */
export interface PageLoad {
  readonly steps: number;
  readonly tasks: number;
  readonly measures: number;
  readonly seconds: number;
}

/** What the page cost. */
export interface PageCost {
  /** From the request to the first content on the screen, and until the drawing is in the document. */
  readonly firstPaintMs: number;
  readonly drawnMs: number;
  /** Tasks of the page's thread that took more than 50 ms after the first paint, others who used its core included. */
  readonly longTasksMs: readonly number[];
  /** The longest of all after the first paint, in CPU. */
  readonly longestTaskMs: number;
  readonly pictures: number;
  /** Of the stream of pictures, as they came over the wire. */
  readonly bytesASecond: number;
  /** Texts and attributes that changed with a picture. */
  readonly changesAPicture: number;
  /** Boxes that show no figures at the end. */
  readonly emptyBoxes: number;
  /** In bytes, after collections, evenly over the time. */
  readonly serverHeap: readonly number[];
  readonly pageHeap: readonly number[];
}

const SAMPLES_MAX = 24;

/** Runs in the page before its own script. */
const observer = `
window.longTasks = [];
window.changes = 0;
new PerformanceObserver((list) => window.longTasks.push(...list.getEntries().map(({ startTime, duration }) => [startTime, duration])))
  .observe({ type: 'longtask', buffered: true });
new MutationObserver((changes) => {
  window.changes += changes.length;
  if (document.querySelector('.node')) window.drawnMs ??= performance.now();
}).observe(document, { childList: true, subtree: true, attributes: true, characterData: true });
`;

/** Looks at the page of a run of this size in a browser. */
export async function watchPage(load: PageLoad, progress: (line: string) => void = () => {}): Promise<PageCost> {
  const server = serve(load);
  const browser = await openBrowser();
  try {
    const url = await server.answer();
    const page = await browser.newPage();
    const devtools = await page.context().newCDPSession(page);
    for (const domain of ['Network', 'HeapProfiler'] as const) await devtools.send(`${domain}.enable`);
    let [bytes, pictures] = [0, 0];
    devtools.on('Network.dataReceived', ({ encodedDataLength }) => {
      bytes += encodedDataLength;
    });
    devtools.on('Network.eventSourceMessageReceived', () => {
      pictures += 1;
    });
    await browser.startTracing(page, { categories: ['toplevel', 'loading'] });
    await page.addInitScript(observer);
    await page.goto(url);
    await page.locator('[data-is=ok]').waitFor();
    await pause(1_000);

    const startedMs = performance.now();
    [bytes, pictures] = [0, 0];
    await page.evaluate('window.changes = 0');
    const [serverHeap, pageHeap]: [number[], number[]] = [[], []];
    const now = (): Promise<number> => page.evaluate('performance.now()');
    const collections: Span[] = [];
    const samples = Math.min(SAMPLES_MAX, Math.ceil(load.seconds));
    for (let sample = 0; sample < samples; sample++) {
      await pause((load.seconds * 1_000) / samples);
      serverHeap.push(Number(await server.ask()));
      const fromMs = await now();
      await devtools.send('HeapProfiler.collectGarbage');
      collections.push([fromMs, await now()]);
      pageHeap.push((await devtools.send('Runtime.getHeapUsage')).usedSize);
      progress(`${pictures} pictures, heap of the server and of the page ${mib(serverHeap)} and ${mib(pageHeap)} MiB`);
    }
    const seconds = (performance.now() - startedMs) / 1_000;
    const changes: number = await page.evaluate('changes');
    const trace = await browser.stopTracing();
    const firstPaintMs: number = await page.evaluate(
      "performance.getEntriesByName('first-contentful-paint')[0].startTime",
    );
    const longTasks: readonly (readonly [startMs: number, ms: number])[] = await page.evaluate('longTasks');
    return {
      firstPaintMs,
      drawnMs: await page.evaluate('drawnMs'),
      longTasksMs: longTasks.flatMap(([startMs, ms]) =>
        startMs > firstPaintMs && !isIn(collections, startMs) ? [ms] : [],
      ),
      longestTaskMs: longestTaskMs(trace, firstPaintMs, collections),
      pictures,
      bytesASecond: bytes / seconds,
      changesAPicture: changes / pictures,
      emptyBoxes: await page.locator('.node', { hasText: 'no data yet' }).count(),
      ...{ serverHeap, pageHeap },
    };
  } finally {
    await browser.close();
    server.process.kill();
  }
}

const mib = (bytes: readonly number[]): string => ((bytes.at(-1) ?? 0) / 2 ** 20).toFixed(1);

/** The process that is looked at: the line that it says next, and its heap in bytes. */
function serve({ steps, tasks, measures }: PageLoad): {
  readonly process: ChildProcess;
  answer(): Promise<string>;
  ask(): Promise<string>;
} {
  const file = fileURLToPath(new URL('process.ts', import.meta.url));
  const flags = ['--import', 'tsx', '--max-semi-space-size=64', '--expose-gc', '--conditions=millrace-source'];
  const child = spawn(process.execPath, [...flags, file, ...[steps, tasks, measures].map(String)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  const answer = async () => {
    const { value, done } = await lines.next();
    if (done) throw new Error('the process that is looked at has ended');
    return value;
  };
  const ask = () => {
    child.stdin.write('heap\n');
    return answer();
  };
  return { process: child, answer, ask };
}
