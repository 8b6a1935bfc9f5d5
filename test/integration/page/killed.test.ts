import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openBrowser, openPage } from '../../../scripts/browser.mjs';
import { runBuilt } from '../../e2e/cli.js';
import { lastingPorts } from '../../ports.js';

const script = fileURLToPath(new URL('./watched-run.mjs', import.meta.url));
/** How soon the page says what has happened. */
const SAID = { timeout: 3_000 };

let folder: string;
let browser: Browser;
const children: ChildProcess[] = [];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-page-'));
  browser = await openBrowser();
  await runBuilt(['demo', '--load-only', '--limit', '40000', '--data', folder]);
});
afterAll(async () => {
  for (const child of children) child.kill('SIGKILL');
  await browser?.close();
  await rm(folder, { recursive: true, force: true });
});

function begin(port: number): ChildProcess {
  const options = { data: folder, port, inferenceIsolation: 'process', recordsPerSecondMax: 2_000 };
  const child = spawn(process.execPath, [script, JSON.stringify(options)], {
    env: { ...process.env, UV_THREADPOOL_SIZE: '16' },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  children.push(child);
  return child;
}

async function answers(url: string): Promise<void> {
  for (;;) {
    const answer = await fetch(`${url}/health/ready`).catch(() => undefined);
    if (answer?.ok) return;
    await pause(100);
  }
}
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

const workersOf = ({ pid }: ChildProcess): number[] =>
  execFileSync('ps', ['-A', '-o', 'pid=,ppid=,args='], { encoding: 'utf8' })
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(([, parent, ...args]) => Number(parent) === pid && !args.includes('ps'))
    .map(([child]) => Number(child));

it('says within three seconds that a worker or the process was killed, and goes on without being loaded again', async () => {
  const [port = 0] = await lastingPorts(1);
  const url = `http://127.0.0.1:${port}`;
  const first = begin(port);
  await answers(url);
  const { page } = await openPage(browser, url);
  const event = (text: string) => page.locator('#events li', { hasText: text });
  await page.evaluate('globalThis.isTheSame = true');
  await page.locator('[data-is=ok]').waitFor();
  await page.locator('#models', { hasText: 'risk.onnx' }).waitFor();

  // Suspended first, so that it dies with a batch.
  for (const worker of workersOf(first)) process.kill(worker, 'SIGSTOP');
  await pause(1_000);
  for (const worker of workersOf(first)) process.kill(worker, 'SIGKILL');
  await event('lost with their inference worker').waitFor(SAID);

  first.kill('SIGKILL');
  await page.locator('[data-is=lost]').waitFor(SAID);
  await event('no answer from the process since').waitFor(SAID);

  const second = begin(port);
  await answers(url);
  await page.locator('[data-is=ok]').waitFor({ timeout: 5_000 });
  await event('another process answers').waitFor(SAID);

  // One that does not answer, and does not close its connections either.
  second.kill('SIGSTOP');
  await page.locator('[data-is=lost]').waitFor({ timeout: 3_500 });
  second.kill('SIGCONT');
  await page.locator('[data-is=ok]').waitFor(SAID);

  second.kill('SIGTERM');
  await event('the run has ended').waitFor({ timeout: 10_000 });
  expect(await page.locator('#status').textContent()).toBe('the run has ended');
  expect(await page.evaluate('globalThis.isTheSame')).toBe(true);
});
