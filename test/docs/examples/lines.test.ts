import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { sinkContract } from '../../../src/testing/sink-contract.js';
import { MemoryProfile } from '../../../src/testing.js';
import { lines } from './lines.js';
import { linesSink } from './lines-open.js';

async function openWorld() {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-lines-'));
  const file = join(folder, 'values.ndjson');
  const ledgers = new MemoryProfile(2);
  return {
    driver: linesSink(),
    sink: lines.sink<unknown>({ file }),
    openLedger: (task: { topology: string; partition: number }) => ledgers.openLedger(task),
    value: (n: number) => ({ n }),
    visible: async () =>
      existsSync(file)
        ? readFileSync(file, 'utf8')
            .trim()
            .split('\n')
            .map((line) => JSON.parse(line).n)
        : [],
    close: async () => rmSync(folder, { recursive: true }),
  };
}

describe('lines.sink', () => {
  for (const { name, run } of sinkContract('append', openWorld)) it(name, run);

  it('keeps no more lines than it may', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'millrace-lines-'));
    const file = join(folder, 'values.ndjson');
    const sink = lines.sink<unknown>({ file, linesMax: 3 });
    const writer = await linesSink().open(sink, {
      step: 'log',
      task: { topology: 'test', partition: 0 },
      incarnation: 0,
    });
    await writer.write([1, 2], []);
    expect(existsSync(file)).toBe(false);
    await writer.write([3], []);
    expect(readFileSync(file, 'utf8')).toBe('1\n2\n3\n');
    await writer.close();
    rmSync(folder, { recursive: true });
  });

  it('has its options checked', () => {
    expect(lines.sink({ file: '', linesMax: 0 }).problems?.map(({ message }) => message)).toEqual([
      'file is of type string',
      'linesMax is 0',
    ]);
  });

  it('names the step and the file that it cannot write', async () => {
    const sink = lines.sink<unknown>({ file: join(tmpdir(), 'no-such-folder', 'values.ndjson') });
    const task = { topology: 'test', partition: 0 };
    const writer = await linesSink().open(sink, { step: 'log', task, incarnation: 0 });
    await writer.write([1], []);
    await expect(writer.prepare?.()).rejects.toMatchObject({ code: 'sink', where: 'log' });
    await writer.close();
  });
});
