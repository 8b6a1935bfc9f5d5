// Pictures of the live page for the documents, from the running demo: `npm run screenshots`. Needs `npm run build` and a Chromium.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { openBrowser, openPage } from './browser.mjs';

if (process.argv.includes('--help')) {
  console.log(`npm run screenshots

Runs the demo of the built package with its live page, and takes pictures of it for docs/guide/images: light, dark, on a phone,
with the details of a step, after the process was killed, its dead letters before a replay, and one record.`);
  process.exit(0);
}

const repository = fileURLToPath(new URL('..', import.meta.url));
const images = join(repository, 'docs/guide/images');
const data = mkdtempSync(join(tmpdir(), 'millrace-screenshots-'));
const port = 18_080;
const url = `http://127.0.0.1:${port}`;
/** Until rates and lines have something to show. */
const SECONDS = 40;

/** Runs a command of the built package, until it answers at the port. */
async function served(...args) {
  const command = [join(repository, 'dist/src/cli/main.cjs'), ...args, '--port', String(port), '--data', data];
  const child = spawn(process.execPath, command, { stdio: ['ignore', 'inherit', 'inherit'] });
  while (!(await fetch(`${url}/health/live`).catch(() => undefined))?.ok) {
    if (child.exitCode !== null) throw new Error(`${args[0]} ended with ${child.exitCode}`);
    await pause(200);
  }
  return child;
}

const children = [];
const browser = await openBrowser();
try {
  mkdirSync(images, { recursive: true });
  const demo = await served('demo', '--watch', '--rate', '8000');
  children.push(demo);
  const large = { width: 1_280, height: 860 };
  const open = async (colorScheme, viewport = large) => (await openPage(browser, url, { colorScheme, viewport })).page;
  const [light, dark, phone] = [
    await open('light'),
    await open('dark'),
    await open('light', { width: 390, height: 844 }),
  ];
  await pause(SECONDS * 1_000);
  await take(light, 'page-light');
  await take(dark, 'page-dark');
  await take(phone, 'page-phone');
  await light.locator('.node', { hasText: 'delay-model' }).first().click();
  await pause(1_500);
  await take(light, 'page-step');
  await light.keyboard.press('Escape');
  demo.kill('SIGKILL');
  await light.locator('[data-is=lost]').waitFor();
  await light.locator('#happened').scrollIntoViewIfNeeded();
  await take(light, 'page-lost', true);
  await ended(demo);
  children.push(
    await served('run', join(repository, 'dist/topologies/flight-delays.js'), '--allow-actions', '--show-values'),
  );
  const letters = await open('light');
  await letters.getByRole('button', { name: 'Look' }).click();
  await letters.locator('#letter-rows td').first().waitFor();
  await letters.getByLabel('Reason').selectOption({ index: 1 });
  await letters.getByRole('button', { name: 'Look' }).click();
  await letters.getByRole('button', { name: 'Replay all that match' }).click();
  await letters.getByRole('button', { name: 'Send' }).waitFor();
  await pause(1_000);
  await take(letters.locator('#letters'), 'page-letters');
  // One of the newest predictions, once no more come: a look reads the newest entries of the topics.
  await atRest();
  const { topics } = await (await fetch(`${url}/record?id=ATL`)).json();
  const [prediction] = topics.find(({ node }) => node === 'predictions').records;
  const [, flight] = /"flightId":"?(\d+)/.exec(prediction.values.record) ?? [];
  if (flight === undefined) throw new Error(`no id of a flight in ${prediction.values.record}`);
  await letters.getByLabel('Key, id or').fill(flight);
  await letters.getByRole('button', { name: 'Find' }).click();
  await letters.locator('#record-rows td').first().waitFor();
  await take(letters.locator('#record'), 'page-record');
} finally {
  await browser.close();
  for (const child of children) {
    child.kill('SIGKILL');
    await ended(child);
  }
  rmSync(data, { recursive: true, force: true });
}

/** Waits until nothing is read any more. */
async function atRest() {
  for (let before = ''; ; ) {
    const metrics = await (await fetch(`${url}/metrics`)).text();
    const read = metrics.match(/^millrace_step_events_total\{.*event="read".*$/gm).join();
    if (read === before) return;
    before = read;
    await pause(3_000);
  }
}

async function ended(child) {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
}

/** With few colours: a third of the bytes. */
async function take(page, name, fullPage = false) {
  const picture = await page.screenshot(fullPage ? { fullPage } : {});
  const file = join(images, `${name}.png`);
  writeFileSync(file, await sharp(picture).png({ palette: true, colours: 128, effort: 10 }).toBuffer());
  console.log(file);
}
