import { spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { type Mutant, mutants } from './mutants.js';

// Does the simulation bite? The runtime (and now and then an operator) is broken on purpose, one fault at a time, in a copy of the sources.

const root = fileURLToPath(new URL('../..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'millrace-mutants-'));
/** The most that one needs is 83: credits that are not asked for show where a sink is slow at the right moment. */
const SEEDS_MAX = 200;

afterAll(() => rmSync(folder, { recursive: true, force: true }));

function copyOf(name: string, patches: Mutant['patches']): string {
  const copy = join(folder, name.replaceAll(/\W+/g, '-'));
  mkdirSync(join(copy, 'test'), { recursive: true });
  cpSync(join(root, 'src'), join(copy, 'src'), { recursive: true });
  cpSync(join(root, 'test/sim'), join(copy, 'test/sim'), { recursive: true });
  for (const file of ['package.json', 'tsconfig.json']) cpSync(join(root, file), join(copy, file));
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
  for (const { file, from, to } of patches) {
    const path = join(copy, 'src/runtime', file);
    const parts = readFileSync(path, 'utf8').split(from);
    expect(parts.length - 1, `"${from}" stands once in ${file}: if the runtime has changed, the mutant must too`).toBe(
      1,
    );
    writeFileSync(path, parts.join(to));
  }
  return copy;
}

/** Runs seeds until one fails. */
function seedsIn(
  copy: string,
  scenario: string,
  seeds: number,
): Promise<{ readonly code: number | null; readonly said: string }> {
  const args = [
    '--import',
    'tsx',
    'test/sim/main.ts',
    '--scenario',
    scenario,
    '--seeds',
    String(seeds),
    '--first',
    '--json',
  ];
  const child = spawn(process.execPath, args, { cwd: copy, stdio: ['ignore', 'pipe', 'pipe'], timeout: 120_000 });
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

describe('mutants of the runtime', () => {
  it('are not seen where there is none', { timeout: 120_000 }, async () => {
    const copy = copyOf('sound', []);
    for (const scenario of [
      'copies',
      'totals',
      'learning',
      'scores',
      'transfers',
      'quiet',
      'windows',
      'joins',
      'rates',
      'drains',
      'clocked',
      'upgrades',
    ])
      expect(await seedsIn(copy, scenario, 5)).toMatchObject({ code: 0 });
  });

  it.each(mutants)('$name is caught', { timeout: 180_000 }, async ({ name, scenario, patches }) => {
    const { code, said } = await seedsIn(copyOf(name, patches), scenario, SEEDS_MAX);
    // A promise was found broken; the mutant did not merely fail to start.
    expect(said).toMatch(/"failed":\["/);
    expect(code).toBe(1);
  });
});
