import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Mutant, mutants } from './mutants.js';
import { scenarios } from './scenarios/index.js';

// Does the simulation bite? The runtime (and now and then an operator) is broken on purpose, one fault at a time, while
// the sources are bundled.

const root = fileURLToPath(new URL('../..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'millrace-mutants-'));
/** The most that one needs is 83: credits that are not asked for show where a sink is slow at the right moment. */
const SEEDS_MAX = 200;

beforeAll(() => symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules')));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The command `npm run sim` in one file, with the patches in it. */
async function bundleOf(name: string, patches: Mutant['patches']): Promise<string> {
  const left = new Set(patches);
  const patch = (code: string, id: string): string | undefined => {
    const here = patches.filter(({ file }) => id === join(root, 'src/runtime', file));
    return here.length === 0 ? undefined : here.reduce(patched, code);
  };
  const patched = (code: string, each: Mutant['patches'][number]): string => {
    const parts = code.split(each.from);
    expect(parts.length - 1, `"${each.from}" stands once in ${each.file}: if it has changed, the mutant must too`).toBe(
      1,
    );
    left.delete(each);
    return parts.join(each.to);
  };
  const bundle = await rolldown({
    input: join(root, 'test/sim/main.ts'),
    platform: 'node',
    external: /^(?!\.{0,2}\/)/,
    plugins: [{ name: 'mutant', transform: { order: 'pre', handler: patch } }],
  });
  const file = join(folder, `${name.replaceAll(/\W+/g, '-')}.mjs`);
  await bundle.write({ file, format: 'esm', codeSplitting: false });
  await bundle.close();
  expect([...left], 'files of the mutant that the simulation does not load').toEqual([]);
  return file;
}

/** Runs seeds until one fails. */
function seedsIn(
  file: string,
  scenario: string,
  seeds: number,
): Promise<{ readonly code: number | null; readonly said: string }> {
  const args = [file, '--scenario', scenario, '--seeds', String(seeds), '--first', '--json'];
  const child = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'], timeout: 240_000 });
  let said = '';
  child.stdout.on('data', (chunk) => {
    said += chunk;
  });
  child.stderr.on('data', (chunk) => {
    said += chunk;
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, said }));
  });
}

// Each is a process of its own, so there are as many at a time as cores may be free at the end of `npm test`.
describe.concurrent('mutants of the runtime', () => {
  // 16 s alone; a machine that runs all tests at once has taken thirty times as long.
  it('are not seen where there is none', { timeout: 1_800_000 }, async () => {
    const file = await bundleOf('sound', []);
    for (const scenario of Object.keys(scenarios)) expect(await seedsIn(file, scenario, 2)).toMatchObject({ code: 0 });
  });

  it.each(mutants)('$name is caught', { timeout: 300_000 }, async ({ name, scenario, patches }) => {
    const { code, said } = await seedsIn(await bundleOf(name, patches), scenario, SEEDS_MAX);
    // A promise was found broken; the mutant did not merely fail to start.
    expect(said).toMatch(/"failed":\["/);
    expect(code).toBe(1);
  });
});
