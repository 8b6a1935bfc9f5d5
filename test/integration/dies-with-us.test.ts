import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { beginOf } from '../../stack/processes.js';

const module = new URL('./dies-with-us.ts', import.meta.url).href;

it('a server ends with a process that is killed, and its folder goes', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-dies-'));
  const script = `
    import { spawn } from 'node:child_process';
    import { diesWithUs } from ${JSON.stringify(module)};
    const server = spawn('sleep', ['600'], { stdio: 'ignore' });
    diesWithUs(server, { signal: 'KILL', folder: ${JSON.stringify(folder)} });
    console.log(server.pid);
    setInterval(() => undefined, 1_000);`;
  const us = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [pid] = (await once(us.stdout, 'data')).map(Number) as [number];
  expect(beginOf(pid)).toBeDefined();
  us.kill('SIGKILL');
  await expect.poll(() => [beginOf(pid), existsSync(folder)], { timeout: 10_000 }).toEqual([undefined, false]);
});
