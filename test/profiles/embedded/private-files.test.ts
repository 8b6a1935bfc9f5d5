import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { writeWhole } from '../../../src/checkpoints/savepoint-files.js';
import { openEmbedded } from '../../../src/profiles/embedded/index.js';
import { localRegistry } from '../../../src/schema/index.js';

const folder = mkdtempSync(join(tmpdir(), 'millrace-private-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const modeOf = (...path: string[]) => statSync(join(folder, ...path)).mode & 0o777;

it('what is kept is for its user alone; a folder that was there keeps its mode', async () => {
  mkdirSync(join(folder, 'shared'), { mode: 0o755 });
  for (const path of [['made', 'log'], ['shared']]) {
    const embedded = await openEmbedded({ path: join(folder, ...path), registry: localRegistry() });
    await embedded.producer().createTopic('clicks', 1);
    await embedded.close();
    for (const file of ['data.mdb', 'lock.mdb']) expect([file, modeOf(...path, file)]).toEqual([file, 0o600]);
  }
  expect([modeOf('made'), modeOf('made', 'log'), modeOf('shared')]).toEqual([0o700, 0o700, 0o755]);
  await writeWhole(
    join(folder, 'made', 'savepoints', 'one'),
    (async function* () {
      yield Buffer.from('state');
    })(),
  );
  expect([modeOf('made', 'savepoints'), modeOf('made', 'savepoints', 'one')]).toEqual([0o700, 0o600]);
  expect(readdirSync(join(folder, 'made', 'log'))).toContain('data.mdb');
});
