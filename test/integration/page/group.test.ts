import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openBrowser, openPage } from '../../../scripts/browser.mjs';
import { resolveConfig } from '../../../src/profiles/config.js';
import { openProfile } from '../../../src/profiles/profiles.js';
import { probePort } from '../../../stack/ports.js';
import { startMillrace, userFolder } from '../../cli/millrace.js';
import { lastingPorts } from '../../ports.js';
import { address } from '../address.js';

const name = `group-${randomUUID().slice(0, 8)}`;
const RECORDS = 4_000;
/** How soon the page says what has happened. */
const SAID = { timeout: 3_000 };

const user = userFolder({
  'group.ts': `
import { json, map, topology } from 'millrace';
import { kafka } from 'millrace/connectors/kafka';
export const group = topology('${name}', { deadLetters: kafka.deadLetterSink({ topic: '${name}.dead' }) }, (t) => {
  t.source('in', kafka.source({ topic: '${name}.in', schema: json() }))
    .via('same', map((value) => value))
    .to('out', kafka.sink({ topic: '${name}.out', schema: json() }));
});
`,
});
const env = () => ({
  MILLRACE_KAFKA: address('MILLRACE_KAFKA'),
  MILLRACE_REGISTRY: address('MILLRACE_REGISTRY'),
  MILLRACE_PROFILE: 'cluster',
});

let browser: Browser;
beforeAll(async () => {
  browser = await openBrowser();
  const profile = await openProfile(resolveConfig({ env: env() }));
  const producer = profile.producer();
  await producer.createTopic(`${name}.in`, 4);
  for (let partition = 0; partition < 4; partition++)
    await producer.append(
      `${name}.in`,
      partition,
      Array.from({ length: RECORDS / 4 }, (_, n) => ({
        ...{ key: null, value: Buffer.from(JSON.stringify({ n })), timestampMs: 1_700_000_000_000 + n },
      })),
    );
  await producer.close();
  await profile.close();
});
afterAll(async () => {
  await browser?.close();
  user.remove();
});

/** A port with a free neighbour: the second process serves on the next one. */
async function freePair(): Promise<number> {
  for (;;) {
    const [port = 0] = await lastingPorts(1);
    const isFree = await probePort(port + 1).then(
      () => true,
      () => false,
    );
    if (isFree) return port;
  }
}

it('shows all processes of a group, says within three seconds that one was killed, and has it back without being loaded again', async () => {
  const port = await freePair();
  const other = `http://127.0.0.1:${port + 1}`;
  const args = ['run', 'group.ts', '--processes', '2', '--port', String(port), '--allow-actions'];
  const { process: parent, ended, output } = startMillrace(args, { folder: user.folder, env: env() });
  try {
    await expect.poll(output, { timeout: 60_000 }).toContain(`http://127.0.0.1:${port}\n`);
    const { page, problems } = await openPage(browser, `http://127.0.0.1:${port}`);
    await page.evaluate('globalThis.isTheSame = true');
    const row = page.locator('#processes tr', { hasText: new URL(other).host });
    const both = async () => {
      await page.locator('#facts', { hasText: '2 processes' }).waitFor({ timeout: 60_000 });
      await row.locator('td', { hasText: /^answers$/ }).waitFor({ timeout: 60_000 });
      await page.locator('#status[data-is=ok]').waitFor({ timeout: 60_000 });
    };
    await both();
    // The records of all tasks, although each process has two.
    await page.locator('.node.sink', { hasText: '4,000' }).waitFor({ timeout: 30_000 });
    await expect.poll(() => page.locator('#inputs tr').count(), { timeout: 30_000 }).toBe(5);
    for (const url of [`http://127.0.0.1:${port}`, other])
      await expect
        .poll(async () => (await fetch(`${url}/scale`)).json(), { timeout: 30_000 })
        .toMatchObject({ secondsBehind: 0, processes: 2 });

    await page.getByRole('button', { name: 'Pause the run' }).click();
    await page.locator('#status', { hasText: /^paused$/ }).waitFor();
    const saved = await fetch(`${other}/savepoints`, {
      ...{ method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"name":"group"}' },
    });
    expect(await saved.json()).toMatchObject({ partitions: 4, file: expect.stringContaining('group.mrsp') });
    await page.locator('#status', { hasText: /^paused$/ }).waitFor();
    await page.getByRole('button', { name: 'Resume the run' }).click();
    await both();
    const asked = /127\.0\.0\.1 \(request \S+\) by way of 127\.0\.0\.1 \(request \S+\) (pauses|resumes) the run/g;
    // A savepoint pauses, and looks again at its end.
    expect(
      output()
        .match(asked)
        ?.map((line) => line.split(' ').at(-3)),
    ).toEqual(['pauses', 'pauses', 'pauses', 'resumes']);

    killOther(parent, port + 1);
    // Its tasks are with the other process soon, and then nothing is missing any more.
    const said = new RegExp(`${other} (does not answer|has no tasks any more)`);
    await page.locator('#events li', { hasText: said }).first().waitFor(SAID);
    await expect.poll(output, { timeout: 60_000 }).toContain('is restarted');
    await both();
    await page.locator('.node.sink', { hasText: '4,000' }).waitFor({ timeout: 30_000 });
    // A pause holds for the process that comes back.
    await page.getByRole('button', { name: 'Pause the run' }).click();
    await page.locator('#status', { hasText: /^paused$/ }).waitFor();
    killOther(parent, port + 1);
    await expect.poll(output, { timeout: 60_000 }).toContain('the other processes of the group are paused');
    const isThere = () =>
      fetch(`${other}/health/live`).then(
        ({ ok }) => ok,
        () => false,
      );
    await expect.poll(isThere, { timeout: 30_000 }).toBe(true);
    await page.locator('#status', { hasText: /^paused$/ }).waitFor();
    await page.getByRole('button', { name: 'Resume the run' }).click();
    await both();
    expect(await page.evaluate('globalThis.isTheSame')).toBe(true);
    expect(problems).toEqual([]);
  } finally {
    parent.kill('SIGINT');
    await ended;
  }
});

/** Kills the process of the group that serves on a port. */
function killOther({ pid }: { readonly pid?: number | undefined }, port: number): void {
  const killed = execFileSync('pgrep', ['-P', String(pid), '-f', '--', `--port ${port}`]);
  process.kill(Number(killed), 'SIGKILL');
}
