import { expect, it } from 'vitest';
import { optionalPackage } from '../../src/util/optional-package.js';

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
