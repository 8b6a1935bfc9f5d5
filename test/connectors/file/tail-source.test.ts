import {
  appendFileSync,
  mkdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { file, type TailOptions } from '../../../connectors/file/index.js';
import type { Source } from '../../../src/core/source.js';
import { ndjson } from '../../../src/schema/index.js';
import { newFolder, numbered, openReader, readAll, readRows } from './folder.js';

const tail = (path: string, options: Partial<TailOptions<unknown>> = {}): Source<unknown> =>
  file.tailSource({ path, schema: ndjson<unknown>(), eventTime: () => 0, ...options });

const newLog = (text = '') => {
  const path = join(newFolder(), 'app.log');
  writeFileSync(path, text);
  return path;
};

describe('file.tailSource', () => {
  it('gives lines once they end, and goes on at any of them', async () => {
    const path = newLog('1\n2');
    const reader = await openReader(tail(path), { bounded: false });
    expect(await readRows(reader, 1)).toEqual(numbered(['1']));
    expect(await reader.poll(1)).toEqual({ records: [], ended: false });
    appendFileSync(path, '2\n3\n4\n');
    expect(await readRows(reader, 3)).toEqual(numbered(['22', '3', '4'], 1));
    const states = [1, 2, 3, 4].map((offset) => JSON.parse(JSON.stringify(reader.sourceStateOf?.(offset))));
    await reader.close();
    for (const [i, sourceState] of states.entries()) {
      expect(await readAll(tail(path), { offset: i + 1, sourceState })).toEqual(
        numbered(['22', '3', '4'].slice(i), i + 1),
      );
    }
  });

  it('goes on from an offset alone, and from there by its place', async () => {
    const path = newLog('1\n2\n3\n4\n');
    const reader = await openReader(tail(path), { offset: 2, bounded: false });
    expect(await readRows(reader, 1)).toEqual(numbered(['3'], 2));
    const sourceState = JSON.parse(JSON.stringify(reader.sourceStateOf?.(3)));
    await reader.close();
    expect(await readAll(tail(path), { offset: 3, sourceState })).toEqual(numbered(['4'], 3));
  });

  it('notices that a file has other content which was empty when it was found', async () => {
    const path = newLog('');
    const reader = await openReader(tail(path), { bounded: false });
    expect(await reader.poll(1)).toEqual({ records: [], ended: false });
    appendFileSync(path, '1\n');
    expect(await readRows(reader, 1)).toEqual(numbered(['1']));
    expect(await reader.poll(1)).toEqual({ records: [], ended: false });
    writeFileSync(path, '8\n9\n');
    expect(await readRows(reader, 2)).toEqual(numbered(['8', '9'], 1));
    await reader.close();
  });

  it('is behind until it came to the end of what is there: such an input is slow, not quiet', async () => {
    const reader = await openReader(tail(newLog('1\n2\n')), { bounded: false });
    await readRows(reader, 1);
    expect(reader.isBehind).toBe(true);
    await readRows(reader, 1);
    await reader.poll(1);
    expect(reader.isBehind).toBe(false);
    await reader.close();
  });

  it('reads a file that was rotated to its end, and then what replaced it', async () => {
    const path = newLog('1\n2\n');
    const reader = await openReader(tail(path), { bounded: false });
    await readRows(reader, 1);
    renameSync(path, `${path}.1`);
    appendFileSync(`${path}.1`, '3\nlast without an end');
    writeFileSync(path, '4\n');
    expect(await readRows(reader, 4)).toEqual(numbered(['2', '3', 'last without an end', '4'], 1));
    await reader.close();
  });

  it('finds its position again after several rotations while nobody read', async () => {
    const path = newLog('1\n2\n3\n');
    const reader = await openReader(tail(path), { bounded: false });
    await readRows(reader, 2);
    const sourceState = reader.sourceStateOf?.(2);
    await reader.close();
    for (const text of ['4\n', '5\n6\n', '7\n']) {
      renameSync(path, `${path}.${Number(text[0])}`);
      await new Promise((resolve) => setTimeout(resolve, 20)); // so that times of writing differ
      writeFileSync(path, text);
    }
    expect(await readAll(tail(path), { offset: 2, sourceState })).toEqual(numbered(['3', '4', '5', '6', '7'], 2));
  });

  it('takes no older file for the next one where the one it read is deleted, and no other log for an older file', async () => {
    const path = newLog('2\n');
    writeFileSync(`${path}.1`, '1\n');
    writeFileSync(`${path}-audit`, 'of another log\n');
    utimesSync(`${path}.1`, 1, 1);
    utimesSync(`${path}-audit`, 2_000_000_000, 2_000_000_000);
    const reader = await openReader(tail(path), { bounded: false });
    await readRows(reader, 1);
    rmSync(path);
    writeFileSync(path, '3\n');
    expect(await readRows(reader, 1)).toEqual(numbered(['3'], 1));
    await reader.close();
  });

  it('begins anew in a file that was truncated', async () => {
    const path = newLog('1\n2\n');
    const reader = await openReader(tail(path), { bounded: false });
    await readRows(reader, 2);
    await reader.poll(1);
    truncateSync(path, 0);
    await reader.poll(1);
    appendFileSync(path, '3\n');
    expect(await readRows(reader, 1)).toEqual(numbered(['3'], 2));
    await reader.close();
  });

  it('sees that a file was emptied even where it is longer already, and finds its position in it again', async () => {
    const path = newLog('1\n2\n');
    const reader = await openReader(tail(path), { bounded: false });
    await readRows(reader, 2);
    await reader.poll(1);
    truncateSync(path, 0);
    appendFileSync(path, '3\n4\n5\n');
    expect(await readRows(reader, 2)).toEqual(numbered(['3', '4'], 2));
    const sourceState = JSON.parse(JSON.stringify(reader.sourceStateOf?.(4)));
    await reader.close();
    expect(await readAll(tail(path), { offset: 4, sourceState })).toEqual(numbered(['5'], 4));
  });

  it('does not take what cannot be read for now for what is gone', async () => {
    const folder = newFolder();
    const [path, link] = [join(folder, 'logs', 'app.log'), join(folder, 'link')];
    mkdirSync(join(folder, 'logs'));
    writeFileSync(path, '1\n2\n');
    symlinkSync(join(folder, 'logs'), link);
    const source = tail(join(link, 'app.log'));
    const reader = await openReader(source, { bounded: false });
    await readRows(reader, 1);
    const sourceState = reader.sourceStateOf?.(1);
    await readRows(reader, 1);
    const pointAt = (target: string) => {
      rmSync(link);
      symlinkSync(target, link);
    };
    pointAt(link); // in a circle
    const passing = { code: 'source', permanent: false, message: expect.stringContaining('cannot read') };
    await expect(reader.poll(1)).rejects.toMatchObject(passing);
    await reader.close();
    await expect(openReader(source, { offset: 1, sourceState })).rejects.toMatchObject(passing);
    pointAt(join(folder, 'logs'));
    expect(await readAll(source, { offset: 1, sourceState })).toEqual(numbered(['2'], 1));
  });

  it('says when the file that it read last is gone, or begins with what is there', async () => {
    const path = newLog('1\n2\n');
    const reader = await openReader(tail(path), { bounded: false });
    await readRows(reader, 1);
    const sourceState = reader.sourceStateOf?.(1);
    await reader.close();
    rmSync(path);
    writeFileSync(path, '8\n9\n');
    await expect(openReader(tail(path), { offset: 1, sourceState })).rejects.toMatchObject({
      code: 'source',
      permanent: true,
    });
    expect(await readAll(tail(path, { changed: 'pass' }), { offset: 1, sourceState })).toEqual(numbered(['8', '9'], 1));
  });

  it('waits for a file that is not there yet, and ends at once where it may not wait', async () => {
    const path = join(newFolder(), 'later.log');
    expect(await readAll(tail(path))).toEqual([]);
    const reader = await openReader(tail(path), { bounded: false });
    expect(await reader.poll(1)).toEqual({ records: [], ended: false });
    writeFileSync(path, '1\n');
    expect(await readRows(reader, 1)).toEqual(numbered(['1']));
    await reader.close();
    expect(await reader.poll(1)).toEqual({ records: [], ended: true });
  });
});
