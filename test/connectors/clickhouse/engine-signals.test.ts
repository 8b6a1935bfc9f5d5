import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { openClickHouse } from '../../../connectors/clickhouse/open.js';

const folder = mkdtempSync(join(tmpdir(), 'millrace-signals-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const script = fileURLToPath(new URL('./engine-child.ts', import.meta.url));
let made = 0;

/** How a process that has opened the engine ends; killed where it does not within 20 s. */
async function endOf(how: string): Promise<string | number | null> {
  const flags = ['--max-old-space-size=64', '--import', 'tsx', '--conditions', 'millrace-source'];
  const child = spawn(process.execPath, [...flags, script, join(folder, `e${made++}`), how], {
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  await once(child, 'message');
  if (how.startsWith('SIG')) child.kill(how as NodeJS.Signals);
  const tooLong = setTimeout(() => child.kill('SIGKILL'), 20_000);
  const [code, signal] = (await once(child, 'exit')) as [number | null, string | null];
  clearTimeout(tooLong);
  return signal ?? code;
}

describe('a process with the engine in it', () => {
  it.each(['abort', 'overflow', 'SIGSEGV', 'SIGTERM'])('ends at once by %s', async (how) => {
    expect(await endOf(how)).not.toBe('SIGKILL');
  });

  it('does not open it before it is used', async () => {
    const path = join(folder, 'unused');
    const tables = await openClickHouse({ path });
    expect(existsSync(path)).toBe(false);
    await tables.close();
    expect(existsSync(path)).toBe(false);
  });
});
