import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

// ONNX Runtime 1.30 keeps a number of the device and what it could not send yet in the user's cache, and a log beside temporary files.

const root = fileURLToPath(new URL('../../..', import.meta.url));
const model = './test/inference/models/identity.onnx';
const opened = (isolation: string) => `
  import { pathToFileURL } from 'node:url';
  import { createInference } from './src/inference/index.js';
  const inference = createInference({ isolation: '${isolation}' });
  await inference.open({ model: pathToFileURL('${model}'), batchMax: 4, waitMax: 1, providers: ['cpu'] });
  await inference.close();`;
const described = `
  import { describeModel } from './src/inference/index.js';
  if ((await describeModel('${model}')).inputs.length === 0) throw new Error('no model');`;

test.concurrent.each([
  ['in a thread', opened('thread')],
  ['in a process', opened('process')],
  ['that is described', described],
])('a model %s sends no telemetry and leaves nothing in the cache', async (_, script) => {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-telemetry-'));
  try {
    // Nothing of the environment that would keep it silent by itself, such as `CI`.
    const { PATH } = process.env;
    const env = { PATH, HOME: folder, XDG_CACHE_HOME: join(folder, 'cache'), TMPDIR: folder };
    await promisify(execFile)(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
      cwd: root,
      env,
    });
    expect((await readdir(folder)).filter((name) => !name.startsWith('tsx-'))).toEqual([]);
  } finally {
    await rm(folder, { recursive: true });
  }
});
