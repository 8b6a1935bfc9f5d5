import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { createScheduler } from '../../src/inference/scheduling/scheduler.js';
import { type CreateScheduler, simulate } from './simulation.js';

/** `MILLRACE_INFERENCE_SCHEDULES=10000` for more. */
const schedules = Number(process.env.MILLRACE_INFERENCE_SCHEDULES ?? 1_000);
const source = new URL('../../src/inference/scheduling/', import.meta.url);

describe('the scheduler in a simulation of faults', () => {
  test(`answers every row once, in order, by tier and deadline, in ${schedules} schedules`, async () => {
    for (let seed = 1; seed <= schedules; seed++)
      expect([seed, ...(await simulate(createScheduler, seed))]).toEqual([seed]);
  }, 120_000);

  // What the simulation is worth: each of these faults must show within some schedules.
  test.each([
    [
      'a lost batch is not sent again',
      'model-queue',
      'again.unshift(...partsOf(sent, deaths))',
      'partsOf(sent, deaths)',
    ],
    ['the halves overlap', 'pieces', 'part(lost, half, rows,', 'part(lost, half - 1, rows,'],
    ['rows are given up that are not alone', 'model-queue', 'GIVEN_UP_AFTER = 3', 'GIVEN_UP_AFTER = 2'],
    ['innocent batches are suspects', 'model-queue', '(isSuspect ? 1 : 0)', '1'],
    ['calls are settled from behind', 'calls', 'const call of calls)', 'const call of calls.toReversed())'],
    ['a lost batch keeps its place', 'scheduler', 'place.inFlightMs.shift();', ''],
    ['a third batch goes to a worker', 'scheduler', 'BATCHES = 2', 'BATCHES = 3'],
    ['slow batches go far ahead', 'scheduler', 'AHEAD_MS = 1', 'AHEAD_MS = 1_000'],
    ['an idle worker waits for full batches', 'scheduler', 'if (!isIdle && !some', 'if (!some'],
    ['nobody is told of a worker that is back', 'scheduler', '.isUp = isUp;\n      pump();', '.isUp = isUp;'],
    ['what is flushed waits', 'model-queue', '(flushed.get(bucket) ?? 0) > 0 ||\n    ', ''],
    ['rows are sent as they come', 'lanes', 'as Waiting) > place) at--;', 'as Waiting) > place) break;'],
    ['rows are shed that have time', 'model-queue', '> dueMs(entry) - nowMs())', '> (dueMs(entry) - nowMs()) / 1e6)'],
    ['rows are shed that nobody else answers', 'lanes', 'sheds: sheds && within !== undefined', 'sheds: true'],
    ['late rows are sent', 'model-queue', '    shedLate(startsInMs);\n', ''],
    ['the queue has no bound', 'model-queue', 'tooMany <= 0', 'tooMany <= 1e9'],
    ['what is shed stays in the queue', 'lanes', 'if (kept < end) cut(lane, kept, end - kept);', ''],
    ['a failed row takes its neighbour', 'calls', 'row - inBatch + inCall', 'row - inBatch + inCall + 1'],
  ])('finds that %s', async (_, file, from, to) => {
    const mutant = await mutantOf(file, from, to);
    const found: string[] = [];
    for (let seed = 1; seed <= 200 && found.length === 0; seed++) found.push(...(await outcome(mutant, seed)));
    expect(found).not.toEqual([]);
  });
});

/** A mutant may also throw. */
const outcome = (mutant: CreateScheduler, seed: number): Promise<string[]> =>
  simulate(mutant, seed).catch((error: unknown) => [`${error}`]);

const changed = ['scheduler', 'model-queue', 'pieces', 'lanes', 'calls'];

/** The scheduler with one fault: a copy of its files, which import each other and the others from where they are. */
async function mutantOf(file: string, from: string, to: string): Promise<CreateScheduler> {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-mutant-'));
  try {
    for (const name of changed) {
      const text = await readFile(new URL(`${name}.ts`, source), 'utf8');
      if (name === file) expect(text.split(from)).toHaveLength(2);
      const faulty = name === file ? text.replace(from, to) : text;
      const placed = faulty.replace(/from '(\.[^']*)\/([a-z-]+)\.js'/g, (_, path, imported) =>
        changed.includes(imported)
          ? `from './${imported}.ts'`
          : `from '${fileURLToPath(new URL(`${path}/${imported}.ts`, source))}'`,
      );
      await writeFile(join(folder, `${name}.ts`), placed);
    }
    const mutant = (await import(join(folder, 'scheduler.ts'))) as { readonly createScheduler: CreateScheduler };
    return mutant.createScheduler;
  } finally {
    await rm(folder, { recursive: true });
  }
}
