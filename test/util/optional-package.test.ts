import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { installCommand, optionalPackage } from '../../src/util/optional-package.js';

const needed = { name: 'no-such-package', neededBy: 'this test', where: 'here' };

it('gives what was loaded', async () => {
  expect(await optionalPackage(needed, async () => 5)).toBe(5);
});

it('says how to install what is missing, and in which version', async () => {
  const name: string = 'no-such-package';
  const missing = optionalPackage({ ...needed, install: 'no-such-package@3' }, () => import(name));
  await expect(missing).rejects.toMatchObject({
    ...{ code: 'config', permanent: true, where: 'here' },
    message: expect.stringContaining("the package 'no-such-package' cannot be loaded"),
    hint: 'this test needs it: npm install no-such-package@3',
  });
  await expect(optionalPackage(needed, () => import(name))).rejects.toMatchObject({
    hint: 'this test needs it: npm install no-such-package',
  });
});

it('says to install it where Millrace is, which may be above', () => {
  const home = mkdtempSync(join(tmpdir(), 'millrace install '));
  onTestFinished(() => rmSync(home, { recursive: true }));
  writeFileSync(join(home, 'package.json'), '{}');
  mkdirSync(join(home, 'mine', 'deep'), { recursive: true });
  const own = join(home, 'node_modules/millrace/dist/src/util/optional-package.js');
  expect(installCommand('chdb@3', home, own)).toBe('npm install chdb@3');
  expect(installCommand('chdb@3', join(home, 'mine'), own)).toBe('npm install --prefix .. chdb@3');
  expect(installCommand('chdb@3', join(home, 'mine/deep'), own)).toBe('npm install --prefix ../.. chdb@3');
  expect(installCommand('chdb@3', tmpdir(), own)).toMatch(/^npm install --prefix "millrace install \w+" chdb@3$/);
  // A checkout, and a store of packages, which has no package.json.
  expect(installCommand('chdb@3', '/', join(home, 'src/util/optional-package.js'))).toBe('npm install chdb@3');
  const stored = join(home, 'node_modules/.pnpm/millrace@1/node_modules/millrace/dist/src/util/optional-package.js');
  expect(installCommand('chdb@3', '/', stored)).toBe('npm install chdb@3');
});
