import { spawn } from 'node:child_process';
import { expect, it } from 'vitest';
import type { CommitStep } from '../../../src/profiles/embedded/index.js';
import { perEpoch } from './kill-shape.js';
import { openWorld, valuesIn, type World } from './world.js';

const child = new URL('./kill-child.ts', import.meta.url).pathname;

/** Runs the task over the store until it is killed: by itself at a step, or from here after a while. */
async function runAndKill(path: string, step: CommitStep | 'never', count: number, afterMs?: number): Promise<void> {
  const args = ['--import', 'tsx', '--conditions', 'millrace-source', child, path, step, String(count)];
  const run = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  if (afterMs !== undefined) run.stdout.once('data', () => setTimeout(() => run.kill('SIGKILL'), afterMs));
  const signal = await new Promise((resolve) => run.once('exit', (_, by) => resolve(by)));
  expect(signal).toBe('SIGKILL');
}

/** Everything in the store is of one and the same epoch; gives that epoch. */
async function wholeEpoch({ embedded }: World): Promise<number> {
  const ledger = await embedded.openLedger({ topology: 'kill', partition: 0 });
  const { checkpoint, state } = await ledger.restore();
  const epoch = checkpoint?.epoch ?? 0;
  const written = embedded.topics().includes('out') ? ((await valuesIn(embedded, 'out')) as { n: number }[]) : [];
  const numbers = written.map(({ n }) => n).sort((a, b) => a - b);
  expect(numbers).toEqual(Array.from({ length: epoch * perEpoch }, (_, n) => n));
  const hashes = [...embedded.hashes()].map(({ fields }) => Number(fields.n)).sort((a, b) => a - b);
  expect(hashes).toEqual(numbers.slice(epoch === 0 ? 0 : -50));
  expect(checkpoint?.positions.in?.offset ?? 0).toBe(epoch * perEpoch);
  for (const { bucket, bytes } of state) {
    const newest = epoch - ((epoch - bucket) % 7);
    expect(Buffer.from(bytes ?? []).readUInt32LE(0)).toBe(newest);
    expect(bytes?.[19_999]).toBe(newest % 256);
  }
  expect(state).toHaveLength(Math.min(7, epoch));
  return epoch;
}

it('a process killed at any step of a commit leaves whole epochs', { timeout: 120_000 }, async () => {
  const world = await openWorld();
  const epochs: number[] = [0];
  const round = async (step: CommitStep | 'never', count: number, afterMs?: number) => {
    await world.embedded.close();
    await runAndKill(world.path, step, count, afterMs);
    await world.restart();
    epochs.push(await wholeEpoch(world));
    const [before, after] = epochs.slice(-2) as [number, number];
    expect(after).toBeGreaterThanOrEqual(before);
    return after - before;
  };
  try {
    // The creation of the topic and the keeping of its schema are commits too, in the first round.
    await round('commit:begin', 1);
    for (const count of [1, 2, 5]) {
      // Begun and no more: the epoch of that commit is not there. Done: it is.
      await round('commit:begin', 3 + count);
      const begun = await round('commit:begin', count);
      expect(begun).toBe(count - 1);
      const written = await round('commit:written', count);
      expect([count - 1, count]).toContain(written);
      expect(await round('commit:done', count)).toBe(count);
    }
    for (const afterMs of [1, 7, 13, 29, 58, 71]) await round('never', 0, afterMs);
    expect(epochs.at(-1)).toBeGreaterThan(20);
  } finally {
    await world.close();
  }
});
