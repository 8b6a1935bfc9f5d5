import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { profileSettings } from '../../src/profiles/settings.js';

const unit = readFileSync('deploy/systemd/millrace@.service', 'utf8');
const isThere = spawnSync('systemd-analyze', ['--version']).status === 0;

it('gives a run more time to drain than the stall limit', () => {
  const seconds = Number(/^TimeoutStopSec=(\d+)$/m.exec(unit)?.[1]);
  expect(seconds).toBeGreaterThan(profileSettings.stallSeconds.fallback);
});

it.runIf(isThere)('is a unit without complaints of systemd', () => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-unit-'));
  const verified = (text: string) => {
    const file = join(folder, 'millrace@payments.service');
    writeFileSync(file, text.replace('/usr/bin/node', process.execPath));
    const { status, stderr } = spawnSync('systemd-analyze', ['verify', file], { encoding: 'utf8' });
    return [status, stderr];
  };
  expect(verified(unit)).toEqual([0, '']);
  expect(verified(unit.replace('ProtectSystem=strict', 'ProtectSystem=perhaps'))).toEqual([
    0,
    expect.stringContaining('Failed to parse protect system value, ignoring: perhaps'),
  ]);
  rmSync(folder, { recursive: true });
});
