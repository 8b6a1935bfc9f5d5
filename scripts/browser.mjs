// The browser that tests of the live page, the packed package and the screenshots use: Chromium of the system, without a window.
import { existsSync } from 'node:fs';
import { chromium } from 'playwright-core';

const places = [
  '/usr/bin/chromium-headless-shell',
  '/usr/bin/chromium',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
];

/** Opens it with an empty profile. It finds no host but loopback, so that a page which needs a network fails. */
export function openBrowser() {
  const executablePath = places.find((path) => existsSync(path));
  if (executablePath === undefined) throw new Error(`there is no Chromium: none of ${places.join(', ')}`);
  const args = [
    ...['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking'],
    ...['--disable-component-update', '--disable-sync', '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1'],
  ];
  return chromium.launch({ executablePath, args });
}

/**
 * Opens an address in a context of its own. `problems` fills with what a page must not have: errors and warnings of the console,
 * exceptions, and requests to another origin.
 */
export async function openPage(browser, url, options = {}) {
  const context = await browser.newContext(options);
  return { context, ...(await openTab(context, url)) };
}

/** The same in a context that is open: another tab. */
export async function openTab(context, url) {
  const page = await context.newPage();
  const problems = [];
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) problems.push(`console: ${message.text()}`);
  });
  page.on('pageerror', (error) => problems.push(`exception: ${error}`));
  page.on('request', (request) => {
    const asked = new URL(request.url());
    if (asked.protocol !== 'data:' && asked.origin !== new URL(url).origin) problems.push(`request: ${asked}`);
  });
  await page.goto(url);
  await page.waitForSelector('.node');
  return { page, problems };
}
