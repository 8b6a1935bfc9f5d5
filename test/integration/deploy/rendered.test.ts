import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';

// By the schemas of Kubernetes itself; those of KEDA are looked at in the nightly run.

const folder = 'deploy/rendered';
const rendered = readdirSync(folder)
  .filter((name) => !name.endsWith('.values.yaml'))
  .map((name) => join(folder, name));

function validated(files: readonly string[]) {
  const args = ['-m', 'kubernetes_validate', '--strict', '-k', '1.37', ...files];
  const { status, stdout, stderr } = spawnSync('python3', args, { encoding: 'utf8' });
  return { status, said: stdout + stderr };
}

it('is valid for Kubernetes', () => {
  const { status, said } = validated(rendered);
  expect([status, said]).toEqual([0, said]);
  for (const file of rendered)
    for (const kind of ['deployment', 'service', 'poddisruptionbudget', 'networkpolicy'])
      expect(said).toContain(`${file} passed for resource ${kind}/payments`);
});

it('would not be with a field that Kubernetes does not know', () => {
  const temp = mkdtempSync(join(tmpdir(), 'millrace-rendered-'));
  const file = join(temp, 'wrong.yaml');
  const text = readFileSync(join(folder, 'minimal.yaml'), 'utf8');
  writeFileSync(file, text.replace('terminationGracePeriodSeconds', 'terminationGraceSeconds'));
  const { status, said } = validated([file]);
  expect([status, said]).toEqual([1, expect.stringContaining('terminationGraceSeconds')]);
  rmSync(temp, { recursive: true });
});
