import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { resolveConfig } from '../../src/profiles/config.js';
import { openProfile } from '../../src/profiles/profiles.js';
import { callMain, userFolder } from './millrace.js';

const { folder, remove } = userFolder({
  'none.csv': '',
  'rows.csv': 'a,x\n1,true\n2,false\n',
  'twice.csv': 'a,a,x\n1,2,true\n3,4,false\n',
  'a.avsc': '"string"',
});
const data = join(folder, 'data');
const evaluated = (file: string, ...more: string[]) => [
  ...['evaluate', '--data', join(folder, file), '--label', 'x', '--learner'],
  ...['logisticRegression({ optimizer: sgd({ rate: 0.01 }) })', ...more],
];

beforeAll(async () => {
  const profile = await openProfile(resolveConfig({ flags: { data }, env: {} }));
  const producer = profile.producer();
  await producer.createTopic('dead', 2);
  await producer.close();
  await profile.close();
});
afterAll(remove);

describe('options that nothing would come of', () => {
  it.each([
    ['no process', ['run', 'x.ts', '--processes', '0'], 'It must be 1 or more.'],
    [
      'two subjects',
      ['schema', 'check', join(folder, 'a.avsc'), '--topic', 'x', '--subject', 'y'],
      'cannot be used with',
    ],
  ])('are wrong usage: %s', async (_title, args, says) => {
    const { code, err } = await callMain(...args);
    expect(code).toBe(2);
    expect(err).toContain(says);
  });

  it.each([
    [
      'offsets the wrong way round',
      ['dlq', 'show', 'dead', '--data', data, '--offsets', '10-1'],
      "--offsets cannot be '10-1'",
    ],
    [
      'a partition that there is not',
      ['dlq', 'show', 'dead', '--data', data, '--partition', '2'],
      'has no partition 2',
    ],
    [
      'the label as a column',
      evaluated('rows.csv', '--columns', 'x:skip'),
      "'x' is the label, which is never a feature",
    ],
    [
      'work of a verification that is cut off',
      ['verify', 'x.ts', '--worker', '{'],
      'is not the work of a verification',
    ],
    ['a file without a line', evaluated('none.csv'), 'the file has no rows that can be read'],
    ['a header with a name twice', evaluated('twice.csv'), '`evaluate` needs one'],
  ])('are refused with a place and a hint: %s', async (_title, args, says) => {
    const { code, err } = await callMain(...args);
    expect(code).toBe(1);
    expect(err).toContain(says);
    expect(err).toMatch(/^error \(config\): .+\n {2}where: .+\n {2}hint: .+\n$/);
  });

  it('a folder is no schema', async () => {
    const { code, out } = await callMain('schema', 'check', folder);
    expect(code).toBe(1);
    expect(out).toContain('is a folder\n  hint: give the path of an Avro schema');
  });
});
