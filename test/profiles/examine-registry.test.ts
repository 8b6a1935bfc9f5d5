import { expect, it } from 'vitest';
import type { Finding } from '../../src/core/connector.js';
import { MillraceError } from '../../src/core/errors.js';
import { examineRegistry } from '../../src/profiles/examine-registry.js';

const answering = { latest: async () => undefined };
const silent = {
  latest: async () => {
    throw new MillraceError('schema', 'it does not answer');
  },
};
const of = 'the schema registry at here:8081';

async function found(registry: typeof answering | typeof silent, isNeeded: boolean | undefined): Promise<Finding[]> {
  const findings: Finding[] = [];
  for await (const finding of examineRegistry(registry, 'here:8081', isNeeded)) findings.push(finding);
  return findings;
}

it('says whether a registry answers', async () => {
  const fine = [{ of, state: 'fine', said: 'it answered' }];
  expect([await found(answering, true), await found(answering, undefined)]).toEqual([fine, fine]);
});

it('finds a problem only where a schema needs one', async () => {
  await expect(found(silent, true)).rejects.toMatchObject({ code: 'schema' });
  expect(await found(silent, undefined)).toMatchObject([{ of, state: 'warning', said: 'it does not answer' }]);
  expect(await found(silent, false)).toEqual([]);
});
