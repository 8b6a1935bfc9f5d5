import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { callMain, userFolder } from './millrace.js';

const { folder, remove } = userFolder({ file: 'some text\n' });
const file = join(folder, 'file');
const gone = join(folder, 'gone');
afterAll(remove);

describe('a path that leads to something else', () => {
  it.each([
    ['a file as --data', ['tail', 'payments', '--data', file], /^cannot create the folder: EEXIST/, file],
    ['a file above --data', ['tail', 'payments', '--data', join(file, 'data')], /^cannot create the folder/, file],
    ['a file above --data', ['demo', '--data', join(file, 'demo')], /^cannot create the folder: ENOTDIR/, file],
    ['a file for a project', ['init', file], /^is a file$/, file],
    ['a folder that is not there', ['dev', join(gone, 'x.ts')], /^no such folder$/, gone],
  ])('%s is named, with what to do: %j', async (_title, args, message, where) => {
    const { code, out } = await callMain(...args, '--json');
    expect(code).toBe(1);
    expect(JSON.parse(out).error).toEqual({
      code: 'config',
      message: expect.stringMatching(message),
      where: expect.stringContaining(where),
      hint: expect.stringMatching(/./),
    });
  });
});
