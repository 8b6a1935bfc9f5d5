/**
 * How much memory do the largest inputs that anybody may send take?
 *
 * 700 records of 8 MiB, 2,000 dead letters of 1 MiB, one batch of 1 KB with 16 million headers, and 300 requests whose few KB
 * become MiB: each in a process of its own, written by another one. Measured is the resident memory without mapped files
 * (`RssAnon`), which only Linux tells. Cases on Kafka run where MILLRACE_KAFKA says where that is.
 */
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Benchmark } from './benchmark.js';
import { cases } from './memory/cases.js';
import { type Spread, spreadOf } from './pairs.js';

export const options = { only: '' };

const SAMPLE_MS = 10;

interface Ended {
  /** What it said, parsed. */
  readonly said: {
    readonly counters?: Readonly<Record<string, number>>;
    readonly heldMs?: number;
    readonly statuses?: Readonly<Record<string, number>>;
  };
  readonly peakMiB: number;
}

/** Runs a process of a case to its end, which may be when `until` is there. */
async function inProcess(args: readonly string[], env: NodeJS.ProcessEnv, until?: Promise<unknown>): Promise<Ended> {
  const file = fileURLToPath(new URL('memory/process.ts', import.meta.url));
  const child = spawn(process.execPath, ['--max-semi-space-size=64', ...process.execArgv, file, ...args], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  child.stdout.on('data', (chunk) => {
    said += chunk;
  });
  let peakKib = 0;
  const sampler = setInterval(() => {
    peakKib = Math.max(peakKib, residentKib(child.pid as number));
  }, SAMPLE_MS);
  void until?.finally(() => child.kill('SIGTERM'));
  const code = await new Promise((resolve) => child.once('close', resolve));
  clearInterval(sampler);
  if (code !== 0)
    throw new Error(`${args.join(' ')} ended with ${code}; it had taken ${Math.round(peakKib / 1024)} MiB`);
  return { said: JSON.parse(said), peakMiB: peakKib / 1024 };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}

function residentKib(pid: number): number {
  try {
    return Number(/^RssAnon:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0);
  } catch {
    return 0; // it has ended
  }
}

export const benchmark: Benchmark<typeof options> = async (progress, { only }) => {
  const figures: Record<string, Spread> = {};
  const details: Record<string, unknown> = {};
  for (const [name, { profiles, expected: stated, bodies }] of Object.entries(cases)) {
    for (const profile of profiles) {
      const title = `${name}, ${profile}`;
      if (!title.includes(only) || (profile === 'cluster' && !process.env.MILLRACE_KAFKA)) continue;
      const data = mkdtempSync(join(tmpdir(), 'millrace-memory-'));
      try {
        const env = {
          MILLRACE_PROFILE: profile,
          MILLRACE_DATA: data,
          MEMORY_RUN: randomUUID().slice(0, 8),
          MEMORY_PORT: String(await freePort()),
        };
        progress(`${title}: writing`);
        await inProcess([name, 'fill'], env);
        progress(`${title}: running`);
        const posting = bodies && inProcess([name, 'post'], env);
        const first = await inProcess([name, posting ? 'serve' : 'run'], env, posting);
        const posted = (await posting)?.said.statuses;
        // What was accepted is there, read by then or not.
        const { said, peakMiB } = posted ? { ...(await inProcess([name, 'run'], env)), peakMiB: first.peakMiB } : first;
        const { counters = {} } = said;
        const { heldMs } = first.said;
        const expected = posted ? { 'documents/read': posted['202'] ?? 0 } : stated;
        for (const [counter, count] of Object.entries(expected)) {
          if (counters[counter] !== count)
            throw new Error(`${title}: ${counter} is ${counters[counter]}, not ${count}`);
        }
        figures[`${title}: MiB`] = spreadOf([peakMiB]);
        details[title] = { heldMs, counted: expected, ...(posted ? { answers: posted } : {}) };
        progress(`${title}: ${Math.round(peakMiB)} MiB, longest turn ${heldMs} ms`);
      } finally {
        rmSync(data, { recursive: true, force: true });
      }
    }
  }
  return {
    unit: `MiB resident without mapped files at the highest, sampled every ${SAMPLE_MS} ms`,
    figures,
    ratios: {},
    details,
  };
};
