import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { HIDDEN, writtenFiles, writtenOutput } from '../../../connectors/file/written.js';
import type { Sink } from '../../../src/core/sink.js';
import { ndjson } from '../../../src/schema/index.js';
import { newFolder } from './folder.js';

const format = { schema: ndjson() };

function folderOf(files: Readonly<Record<string, string>>): string {
  const folder = newFolder();
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(folder, path, '..'), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  return folder;
}

describe('what a sink wrote into a folder', () => {
  it('is its files in the order of their names, without what is hidden', async () => {
    const folder = folderOf({ 'b/part-0-0-1.ndjson': '', 'a.ndjson': '', [`${HIDDEN}/owner`]: 'x', 'c.ndjson': '' });
    expect(await writtenFiles.list(folder)).toEqual(
      ['a.ndjson', 'b/part-0-0-1.ndjson', 'c.ndjson'].map((name) => join(folder, name)),
    );
    expect(await writtenFiles.list(join(folder, 'none'))).toEqual([]);
    await expect(writtenFiles.list(join(folder, 'a.ndjson'))).rejects.toThrow('ENOTDIR');
    await writtenFiles.remove(folder);
    expect(await writtenFiles.list(folder)).toEqual([]);
    await writtenFiles.remove(folder);
  });

  it('is rows, of which those of one task and hour are one sequence', async () => {
    const folder = folderOf({
      'part-00000-0-00000000.ndjson': '1\n2\n',
      'part-00000-1-00000001.ndjson': '3\n',
      'part-00001-0-00000000.ndjson': '1\n',
      'hour=07/part-00000-0-00000000.ndjson': '4\n',
    });
    const removed: unknown[] = [];
    const output = writtenOutput(writtenFiles, async (...given) => void removed.push(given));
    const sink = { options: { folder, format } } as Sink<unknown>;
    const read = await output.read(sink, {} as never, true);
    expect([read.how, read.sorted]).toEqual(['in order', false]);
    const entries = [];
    for await (const entry of read.entries()) entries.push(entry);
    expect(entries.map(({ sequence, at }) => [sequence, at])).toEqual([
      ['hour=07/part-00000', '4'],
      ['part-00000', '1'],
      ['part-00000', '2'],
      ['part-00000', '3'],
      ['part-00001', '1'],
    ]);
    expect(new Set(entries.map(({ digest }) => digest)).size).toBe(4);
    expect(entries.map(({ id, digest }) => id === `${digest}/0`)).toEqual(Array(5).fill(true));
    expect((await output.read(sink, {} as never, false)).how).toBe('in any order');
    await output.remove(sink, 'both' as never);
    expect(removed).toEqual([[sink.options, 'both']]);
  });
});
