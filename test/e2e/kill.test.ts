import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { generator } from '../random.js';

const script = fileURLToPath(new URL('./killed-demo.mjs', import.meta.url));
const points = ['pushed', 'drained', 'prepared', 'stored', 'committed'] as const;
const FLIGHTS = 60_000;
/** Each step at least three times; the nightly has more. */
const KILLS = Math.max(26, Number(process.env.MILLRACE_KILLS ?? 0));

interface Ended {
  readonly signal: NodeJS.Signals | null;
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

function runDemo(data: string, args: readonly string[], whileRunning?: (child: ChildProcess) => void): Promise<Ended> {
  const child = spawn(process.execPath, [script, data, String(FLIGHTS), ...args], {
    env: { ...process.env, UV_THREADPOOL_SIZE: '16' },
  });
  let out = '';
  let err = '';
  child.stdout.on('data', (chunk) => {
    out += chunk;
  });
  child.stderr.on('data', (chunk) => {
    err += chunk;
  });
  whileRunning?.(child);
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ code, signal, out, err }));
  });
}

/** A report without what depends on the machine and the number of runs. */
function figures({ out, err, code }: Ended): unknown {
  expect(code, err).toBe(0);
  const { seconds, recordsPerSecond, peakRssMiB, peakOwnMiB, ...rest } = JSON.parse(out);
  expect([seconds, recordsPerSecond, peakRssMiB, peakOwnMiB ?? 0].every(Number.isFinite)).toBe(true);
  return rest;
}

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-kill-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

it(`${KILLS} kills at every step of the epoch, and at random moments, change nothing in the report`, async () => {
  const undisturbed = figures(await runDemo(join(folder, 'undisturbed'), []));
  const random = generator(11);
  const killedAt: Record<string, number> = {};
  let kills = 0;
  // A fast machine may come to the end before all kills are done: then another demo is begun.
  for (let attempt = 0; kills < KILLS; attempt++) {
    const data = join(folder, `killed-${attempt}`);
    let finished: Ended | undefined;
    while (kills < KILLS && !finished) {
      const byTheClock = kills % 7 === 6;
      const point = byTheClock ? 'clock' : (points[kills % points.length] as string);
      const ended = byTheClock
        ? await runDemo(data, [], (child) => setTimeout(() => child.kill('SIGKILL'), 600 + random() * 1_500))
        : await runDemo(data, [point, String(1 + Math.floor(random() * 3))]);
      if (ended.signal === 'SIGKILL') {
        kills++;
        killedAt[point] = (killedAt[point] ?? 0) + 1;
      } else finished = ended;
    }
    expect(figures(finished ?? (await runDemo(data, [])))).toEqual(undisturbed);
    await rm(data, { recursive: true, force: true });
  }
  for (const point of [...points, 'clock']) expect(killedAt[point], `kills at ${point}`).toBeGreaterThanOrEqual(1);
}, 900_000);
