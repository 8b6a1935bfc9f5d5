import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { trades } from '../../docs/examples/extend/trades.js';
import { check } from '../../src/topology/index.js';
import { repository } from '../import-graph.js';

const run = promisify(execFile);
const folder = join(repository, 'docs/examples/extend');

// The parts of one's own under docs/examples/extend. They are tested by Node's own runner, as in a project that has nothing but
// the package; `.ci/run` does that with the packed one.
describe('parts of your own', () => {
  it('keep the contracts that the package checks', async () => {
    const files = readdirSync(folder).filter((name) => name.endsWith('.test.ts'));
    const args = ['--conditions=millrace-source', '--import', 'tsx', '--test', '--test-reporter=tap', ...files];
    const { stdout } = await run(process.execPath, args, { cwd: folder }).catch((error) => error as { stdout: string });
    expect(stdout.match(/^ *not ok .*/gm) ?? []).toEqual([]);
    expect(stdout).toMatch(/^# fail 0$/m);
    expect(Number(/^# pass (\d+)$/m.exec(stdout)?.[1])).toBeGreaterThan(25);
  }, 120_000);

  it('make a topology without problems', () => {
    expect(check(trades)).toEqual([]);
  });
});
