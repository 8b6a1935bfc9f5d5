import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { resolveConfig } from '../../../src/profiles/config.js';
import { openProfile } from '../../../src/profiles/profiles.js';
import { readEmbedded } from '../../e2e/embedded.js';
import { mlp } from '../../inference/onnx.js';
import { generator } from '../../random.js';
import { type Happened, type How, layers, type Row } from './replay-shape.js';

const child = fileURLToPath(new URL('./replay-child.ts', import.meta.url));
const ROWS = 2_000;
const KILLS = 3;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-replay-'));
  const random = generator(3);
  for (const name of ['cheap', 'dear', 'second', 'third'])
    await writeFile(join(folder, `${name}.onnx`), mlp(layers, random));
});
afterAll(() => rm(folder, { recursive: true }));

async function produceRows(data: string): Promise<void> {
  const profile = await openProfile(resolveConfig({ flags: { data } }));
  const producer = profile.producer();
  await producer.createTopic('rows', 2);
  const random = generator(8);
  const rows = Array.from({ length: ROWS }, (_, id): Row => ({ id, from: Math.floor(random() * ROWS * 0.7) }));
  await producer.send(
    'rows',
    rows.map((row) => ({
      ...{ key: Buffer.from(`${row.id}`), value: Buffer.from(JSON.stringify(row)), timestampMs: 1_000 + row.id },
    })),
  );
  await producer.close();
  await profile.close();
}

/** Runs the child to its end, or kills it when its models have answered some rows. Returns what it has been through. */
function run(data: string, how: How, seed = 0, killAtRows = Number.POSITIVE_INFINITY) {
  const args = ['--import', 'tsx', '--conditions', 'millrace-source', child, data, folder, how, `${seed}`];
  const started = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let happened: Happened | undefined;
  createInterface(started.stdout).on('line', (line) => {
    happened = JSON.parse(line) as Happened;
    if (happened.rows >= killAtRows) started.kill('SIGKILL');
  });
  return new Promise<Happened & { readonly isKilled: boolean }>((resolve, reject) => {
    started.on('error', reject);
    started.on('close', (code, signal) => {
      if (happened === undefined || (code !== 0 && signal !== 'SIGKILL'))
        return reject(new Error(`the run ended with ${code}`));
      resolve({ ...happened, isKilled: signal === 'SIGKILL' });
    });
  });
}

/** The bytes that came out, by partition and offset. */
async function outputOf(data: string): Promise<string[]> {
  const { topics } = await readEmbedded(data);
  expect(topics.get('dead') ?? []).toEqual([]);
  return (topics.get('out') ?? []).map(({ partition, key, value }) => `${partition} ${key} ${value}`);
}

test('kills of the run and of its workers, evictions and a cache change no bit of what models say', async () => {
  const [undisturbed, rough] = [join(folder, 'undisturbed'), join(folder, 'rough')];
  await produceRows(undisturbed);
  await run(undisturbed, 'undisturbed');
  const expected = await outputOf(undisturbed);
  expect(expected).toHaveLength(ROWS);
  // Both models of the cascade answer.
  expect(new Set(expected.map((row) => /"first":\{[^}]*"model":"([0-9a-f]+)"/.exec(row)?.[1])).size).toBe(2);

  await produceRows(rough);
  const random = generator(21);
  const sums = { kills: 0, lost: 0, evictions: 0, hits: 0, rows: 0 };
  let kills = 0;
  for (let isKilled = true; isKilled; kills += Number(isKilled)) {
    const killAtRows = kills < KILLS ? 50 + random() * 600 : undefined;
    const happened = await run(rough, kills % 2 === 0 ? 'evictions' : 'kills', kills, killAtRows);
    isKilled = happened.isKilled;
    for (const name of Object.keys(sums) as (keyof typeof sums)[]) sums[name] += happened[name];
  }
  expect(await outputOf(rough)).toEqual(expected);
  expect(kills).toBe(KILLS);
  for (const [name, count] of Object.entries(sums)) expect(count, name).toBeGreaterThan(0);
}, 300_000);
