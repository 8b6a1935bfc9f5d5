import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const data = mkdtempSync(join(tmpdir(), 'embed-'));
const command = join(dirname(createRequire(import.meta.url).resolve('millrace/package.json')), 'dist/src/cli/main.cjs');
const port = 20_000 + (process.pid % 10_000);
const running = new Set<ChildProcess>();
after(() => {
  for (const service of running) service.kill('SIGKILL');
  rmSync(data, { recursive: true, force: true });
});

function produce(rows: readonly object[]): void {
  const input = rows.map((row) => `${JSON.stringify(row)}\n`).join('');
  const args = [command, 'produce', 'payments', '--time', 'paidAt', '--data', data];
  execFileSync(process.execPath, args, { input, stdio: ['pipe', 'ignore', 'inherit'] });
}

function startService(): ChildProcess {
  const service = spawn(process.execPath, ['--import', 'tsx', fileURLToPath(new URL('service.ts', import.meta.url))], {
    env: { ...process.env, DATA: data, PORT: String(port) },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  running.add(service);
  return service;
}

/** The answer to a question, once there is one. */
async function ask(path: string, isRight: (body: string) => boolean): Promise<string> {
  let last = 'nothing';
  for (let tries = 0; tries < 300; tries++) {
    try {
      last = await (await fetch(`http://127.0.0.1:${port}${path}`)).text();
      if (isRight(last)) return last;
    } catch {
      // it does not listen yet
    }
    await sleep(100);
  }
  throw new Error(`${path} said ${last}`);
}

async function stop(service: ChildProcess): Promise<void> {
  service.kill('SIGTERM');
  const [code] = await once(service, 'exit');
  running.delete(service);
  assert.equal(code, 0);
}

test('the service answers with its state, drains on SIGTERM, and goes on from there', {
  timeout: 120_000,
}, async () => {
  const paidAt = Date.UTC(2026, 0, 5, 12);
  produce([
    { card: 'a', amount: 3, paidAt },
    { card: 'b', amount: 5, paidAt },
    { card: 'a', amount: 4, paidAt },
  ]);
  const first = startService();
  await ask('/cards/a', (body) => body.includes('"amount":7'));
  assert.match(await ask('/health', () => true), /"status":"ok"/);
  assert.match(await ask('/cards/nobody', () => true), /nothing of this card/);
  assert.match(await ask('/cards/%', () => true), /URI malformed/);
  await stop(first);

  produce([{ card: 'a', amount: 1, paidAt }]);
  const second = startService();
  await ask('/cards/a', (body) => body.includes('"amount":8') && body.includes('"payments":3'));
  await stop(second);
});
