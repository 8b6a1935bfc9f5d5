import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { makePrivateFolder } from '../../src/util/private-files.js';

it('creates a folder with its parents for its user only, and names one that cannot be', () => {
  const root = mkdtempSync(join(tmpdir(), 'millrace-private-'));
  const folder = join(root, 'a', 'b', 'c');
  makePrivateFolder(folder);
  makePrivateFolder(folder);
  for (const each of [folder, join(root, 'a')]) expect(statSync(each).mode & 0o777).toBe(0o700);
  writeFileSync(join(root, 'file'), '');
  for (const wrong of [join(root, 'file'), join(root, 'file', 'x', 'y')])
    expect(() => makePrivateFolder(wrong)).toThrow(expect.objectContaining({ code: 'config', where: wrong }));
  rmSync(root, { recursive: true });
});

it.runIf(process.platform === 'linux')('refuses a folder in /proc, where Node would try for ever', () => {
  expect(() => makePrivateFolder('/proc/x')).toThrow(expect.objectContaining({ code: 'config', where: '/proc/x' }));
});
