import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openBrowser, openPage } from '../../../scripts/browser.mjs';
import { startBuilt } from '../../e2e/cli.js';
import { lastingPorts } from '../../ports.js';

let folder: string;
let browser: Browser;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-watch-'));
  browser = await openBrowser();
});
afterAll(async () => {
  await browser?.close();
  await rm(folder, { recursive: true, force: true });
});

it('the demo shows flights on the live page while they stream, and keeps it open until Ctrl-C', async () => {
  const [port = 0] = await lastingPorts(1);
  const args = ['--limit', '5000', '--rate', '3000', '--port', String(port), '--data', folder];
  const demo = startBuilt(['demo', '--watch', ...args]);
  try {
    await demo.said(`live page: http://127.0.0.1:${port}`);
    const { page, problems } = await openPage(browser, `http://127.0.0.1:${port}`);
    const read = async () => Number(((await page.locator('#read').textContent()) ?? '').replaceAll(',', ''));
    await expect.poll(read, { timeout: 20_000 }).toBeGreaterThan(100);
    expect(await read()).toBeLessThan(6_000);
    expect(await page.locator('#topology').textContent()).toBe('flight-delays');
    expect(await page.locator('#models').textContent()).toContain('risk.onnx');
    await demo.said('stays open until Ctrl-C');
    await page.locator('[data-is=stopped]').waitFor();
    expect(await page.locator('#measures').textContent()).toContain('delay-model');
    expect(problems).toEqual([]);
    demo.child.kill('SIGINT');
    const { code, out } = await demo.ended;
    expect([code, out]).toEqual([0, expect.stringContaining('report.html')]);
  } finally {
    demo.child.kill('SIGKILL');
  }
});
