import { appendFileSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { Encoder } from '@toondepauw/node-zstd';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type FileSourceOptions, file } from '../../../connectors/file/index.js';
import { millis } from '../../../src/core/index.js';
import type { Source } from '../../../src/core/source.js';
import { csv, json, ndjson, text } from '../../../src/schema/index.js';
import { newFolder, numbered, openReader, readAll, readRows } from './folder.js';

const source = (path: string, options: Partial<FileSourceOptions<unknown>> = {}): Source<unknown> =>
  file.source({ path, schema: ndjson<unknown>(), eventTime: () => 0, every: millis(20), ...options });

const zstd = (bytes: Buffer) => new Encoder(3).encodeSync(bytes);
const packings: readonly [string, (bytes: Buffer) => Buffer][] = [
  ['', (bytes) => bytes],
  ['.gz', (bytes) => gzipSync(bytes)],
  // Members and frames in a row are one file.
  ['.gz', (bytes) => Buffer.concat([gzipSync(bytes.subarray(0, 5)), gzipSync(bytes.subarray(5))])],
  ['.zst', (bytes) => zstd(bytes)],
  ['.zst', (bytes) => Buffer.concat([zstd(bytes.subarray(0, 5)), zstd(bytes.subarray(5))])],
];

describe('file.source', () => {
  it('gives every row once, in the order of names, and goes on at any row by its source state alone', async () => {
    const files = fc.array(
      fc.record({
        lines: fc.array(fc.integer({ min: 0, max: 10 ** 6 }), { maxLength: 30 }),
        packing: fc.nat(packings.length - 1),
        ends: fc.boolean(),
      }),
      { minLength: 1, maxLength: 5 },
    );
    await fc.assert(
      fc.asyncProperty(files, fc.integer({ min: 1, max: 9 }), async (made, pollMax) => {
        const folder = newFolder();
        const expected: string[] = [];
        for (const [i, { lines, packing, ends }] of made.entries()) {
          const [ending, pack] = packings[packing] as (typeof packings)[number];
          const rows = lines.map((n) => `{"file":${i},"n":${n}}`);
          expected.push(...rows);
          writeFileSync(join(folder, `${i}.ndjson${ending}`), pack(Buffer.from(rows.join('\n') + (ends ? '\n' : ''))));
        }
        const all = source(`${folder}/*`);
        const reader = await openReader(all);
        const states: unknown[] = [];
        const read: string[] = [];
        for (;;) {
          const { records, ended } = await reader.poll(pollMax);
          for (const { offset, value } of records) {
            read.push(Buffer.from(value ?? []).toString());
            states.push(JSON.parse(JSON.stringify(reader.sourceStateOf?.(offset + 1))));
          }
          if (ended) break;
        }
        expect(read).toEqual(expected);
        for (const offset of [1, Math.ceil(expected.length / 2), expected.length]) {
          if (offset === 0 || offset > expected.length) continue;
          const rest = await readAll(all, { offset, sourceState: states[offset - 1] });
          expect(rest).toEqual(numbered(expected.slice(offset), offset));
        }
        // Without a source state rows are counted.
        expect(await readAll(all, { offset: Math.min(3, expected.length) })).toEqual(numbered(expected.slice(3), 3));
      }),
      { numRuns: 40 },
    );
  });

  it('takes up new files, and passes over those that are not finished', async () => {
    const folder = newFolder();
    writeFileSync(join(folder, 'a.ndjson'), '1\n2\n');
    const reader = await openReader(source(`${folder}/*.ndjson`), { bounded: false });
    expect(await readRows(reader, 2)).toEqual(numbered(['1', '2']));
    writeFileSync(join(folder, '.b.ndjson'), '3\n');
    writeFileSync(join(folder, '_c.ndjson'), '9\n');
    expect(await reader.poll(5)).toEqual({ records: [], ended: false });
    renameSync(join(folder, '.b.ndjson'), join(folder, 'b.ndjson'));
    expect(await readRows(reader, 1)).toEqual(numbered(['3'], 2));
    await reader.close();
  });

  it('is behind while it has files to read: such an input is slow, not quiet', async () => {
    const folder = newFolder();
    writeFileSync(join(folder, 'a.ndjson'), '1\n2\n');
    writeFileSync(join(folder, 'b.ndjson'), '3\n');
    const reader = await openReader(source(join(folder, '*.ndjson')), { bounded: false });
    expect(reader.isBehind).toBe(true);
    await readRows(reader, 2);
    expect(reader.isBehind).toBe(true);
    await readRows(reader, 1);
    await reader.poll(1);
    expect(reader.isBehind).toBe(false);
    await reader.close();
  });

  it('shares files among tasks, each file as a whole', async () => {
    const folder = newFolder();
    for (let i = 0; i < 20; i++) writeFileSync(join(folder, `${i}.ndjson`), `${i}\n${i}\n`);
    const shared = source(`${folder}/*.ndjson`, { partitions: 3 });
    const shares = await Promise.all([0, 1, 2].map((partition) => readAll(shared, { partition })));
    expect(shares.every((rows) => rows.length > 0)).toBe(true);
    const all = shares.flat().map(({ text: n }) => Number(n));
    expect(all.sort((a, b) => a - b)).toEqual(Array.from({ length: 40 }, (_, i) => i >> 1));
  });

  it('reads files of folders, and none that is deeper', async () => {
    const folder = newFolder();
    for (const day of ['2', '1']) {
      mkdirSync(join(folder, `day=${day}`, 'deep'), { recursive: true });
      writeFileSync(join(folder, `day=${day}`, 'x.ndjson'), `${day}\n`);
      writeFileSync(join(folder, `day=${day}`, 'deep', 'x.ndjson'), 'deep\n');
    }
    expect(await readAll(source(`${folder}/day=*/*.ndjson`))).toEqual(numbered(['1', '2']));
  });

  it('takes a byte order mark in front of a file for no part of it', async () => {
    const folder = newFolder();
    writeFileSync(join(folder, 'a'), '\ufeff{}\n\ufeff2\n');
    writeFileSync(join(folder, 'b'), '\ufeff\n3');
    expect(await readAll(source(`${folder}/*`))).toEqual(numbered(['{}', '\ufeff2', '3']));
  });

  it('takes a header of CSV whose names have delimiters and quotes in them', async () => {
    const folder = newFolder();
    writeFileSync(join(folder, 'a.csv'), '\ufeff"a,b","say ""hi"""\n1,2\n');
    const schema = csv({ columns: { 'a,b': 'number', 'say "hi"': 'number' } });
    const rows = file.source({ path: `${folder}/*.csv`, schema, header: true, eventTime: () => 0 });
    expect(await readAll(rows)).toEqual(numbered(['1,2']));
  });

  it('passes over the header of CSV, and refuses another one', async () => {
    const folder = newFolder();
    const schema = csv({ columns: { id: 'integer', name: 'text' } });
    writeFileSync(join(folder, 'a.csv'), 'id,name\n1,"a\nb"\n');
    writeFileSync(join(folder, 'b.csv'), 'id,name\n2,c\n');
    const rows = file.source({ path: `${folder}/*.csv`, schema, header: true, eventTime: () => 0 });
    expect(await readAll(rows)).toEqual(numbered(['1,"a\nb"', '2,c']));
    writeFileSync(join(folder, 'c.csv'), 'name,id\nd,3\n');
    await expect(readAll(rows)).rejects.toMatchObject({ code: 'source', permanent: true });
  });

  it('keeps no more of a line than its schema takes', async () => {
    const folder = newFolder();
    writeFileSync(join(folder, 'a.txt'), `${'x'.repeat(3_000_000)}\nshort\n`);
    const schema = ndjson<unknown>({ bytesMax: 1_000 });
    const rows = await readAll(source(`${folder}/a.txt`, { schema }));
    expect(rows.map(({ text: row }) => row.length)).toEqual([1_001, 5]);
  });

  it('reads real flights from Parquet, row for row, from any row', async () => {
    const data = join(dirname(createRequire(import.meta.url).resolve('vega-datasets')), '..', 'data');
    const flights = source(join(data, 'flights-3m.parquet'), { schema: json<unknown>() });
    const reader = await openReader(flights);
    const first = await readRows(reader, 2_500, 1_000);
    expect(first.map(({ offset }) => offset)).toEqual(Array.from({ length: 2_500 }, (_, i) => i));
    const sourceState = reader.sourceStateOf?.(2_100);
    await reader.close();
    const again = await openReader(flights, { offset: 2_100, sourceState: JSON.parse(JSON.stringify(sourceState)) });
    expect(await readRows(again, 400, 1_000)).toEqual(first.slice(2_100));
    await again.close();
    expect(JSON.parse(first[0]?.text ?? '')).toMatchObject({ origin: expect.any(String), delay: expect.any(Number) });
  });
});

describe('a file that is not what it was', () => {
  const begin = async (changed: 'stop' | 'pass' = 'stop') => {
    const folder = newFolder();
    writeFileSync(join(folder, 'b.ndjson'), '1\n2\n3\n');
    writeFileSync(join(folder, 'd.ndjson'), '4\n');
    const all = source(`${folder}/*.ndjson`, { changed });
    const reader = await openReader(all);
    await readRows(reader, 2);
    const sourceState = reader.sourceStateOf?.(2);
    await reader.close();
    return { folder, all, from: { offset: 2, sourceState } };
  };
  const changes: readonly [string, (folder: string) => void, readonly string[]][] = [
    ['was written anew', (folder) => writeFileSync(join(folder, 'b.ndjson'), '7\n8\n9\n'), ['9', '4']],
    ['grew', (folder) => appendFileSync(join(folder, 'b.ndjson'), '33\n'), ['3', '33', '4']],
    ['was deleted', (folder) => rmSync(join(folder, 'b.ndjson')), ['4']],
    ['came too late', (folder) => writeFileSync(join(folder, 'a.ndjson'), '0\n'), ['3', '4']],
  ];
  for (const [name, change, rest] of changes) {
    it(`that ${name} stops the run, or is passed`, async () => {
      const stops = await begin();
      change(stops.folder);
      await expect(readAll(stops.all, stops.from)).rejects.toMatchObject({ code: 'source', permanent: true });
      const passes = await begin('pass');
      change(passes.folder);
      expect((await readAll(passes.all, passes.from)).map(({ text: row }) => row)).toEqual(rest);
    });
  }

  it('that came too late is counted, and the file is named that was read before it', async () => {
    const { folder, all, from } = await begin();
    for (const name of ['a', 'aa', 'ab']) writeFileSync(join(folder, `${name}.ndjson`), '0\n');
    await expect(readAll(all, from)).rejects.toMatchObject({
      message: expect.stringMatching(/^3 files came whose names sort before .*b\.ndjson/),
      hint: expect.stringContaining('rename them so that they sort after it'),
    });
  });

  it('is noticed while the source waits for more', async () => {
    for (const change of [
      (folder: string) => appendFileSync(join(folder, 'b.ndjson'), '2\n'),
      (folder: string) => writeFileSync(join(folder, 'a.ndjson'), '0\n'),
    ]) {
      const folder = newFolder();
      writeFileSync(join(folder, 'b.ndjson'), '1\n');
      const reader = await openReader(source(`${folder}/*.ndjson`), { bounded: false });
      await readRows(reader, 1);
      await reader.poll(1);
      change(folder);
      await expect(readRows(reader, 1)).rejects.toMatchObject({ code: 'source', permanent: true });
      await reader.close();
    }
  });

  it('is missed if it goes between two looks, before its first row', async () => {
    const readWithout = async (changed: 'stop' | 'pass') => {
      const folder = newFolder();
      for (const name of ['a', 'b', 'c']) writeFileSync(join(folder, `${name}.ndjson`), `"${name}"\n`);
      const reader = await openReader(source(`${folder}/*.ndjson`, { changed }));
      rmSync(join(folder, 'b.ndjson'));
      return (await readRows(reader)).map(({ text: row }) => row);
    };
    await expect(readWithout('stop')).rejects.toMatchObject({ code: 'source', permanent: true });
    expect(await readWithout('pass')).toEqual(['"a"', '"c"']);
  });

  it('may go once it was read to its end', async () => {
    const folder = newFolder();
    writeFileSync(join(folder, 'b.ndjson'), '1\n');
    const reader = await openReader(source(`${folder}/*.ndjson`), { bounded: false });
    await readRows(reader, 1);
    await reader.poll(1);
    const sourceState = reader.sourceStateOf?.(1);
    await reader.close();
    rmSync(join(folder, 'b.ndjson'));
    writeFileSync(join(folder, 'c.ndjson'), '2\n');
    expect(await readAll(source(`${folder}/*.ndjson`), { offset: 1, sourceState })).toEqual(numbered(['2'], 1));
  });

  it('that is cut off where it is compressed is an error, not an end', async () => {
    for (const [ending, pack] of packings.filter(([name]) => name !== '')) {
      const folder = newFolder();
      const bytes = pack(Buffer.from('1\n2\n3\n4\n5\n'.repeat(100)));
      writeFileSync(join(folder, `a${ending}`), bytes.subarray(0, -3));
      await expect(readAll(source(`${folder}/*`))).rejects.toMatchObject({ code: 'source', permanent: true });
    }
    const folder = newFolder();
    writeFileSync(join(folder, 'a.parquet'), 'PAR1 and no more');
    await expect(readAll(source(`${folder}/a.parquet`, { schema: json<unknown>() }))).rejects.toMatchObject({
      code: 'source',
      permanent: true,
    });
  });
});

describe('what a topology says of files', () => {
  it('is checked', () => {
    const problems = (made: Source<unknown>) => made.problems?.map(({ message }) => message);
    expect(problems(source('a/*'))).toEqual([]);
    expect(problems(source('a/*', { partitions: 0, header: true }))).toEqual([
      'partitions is 0',
      'a header line in json',
    ]);
    expect(problems(source('a.parquet', { schema: text() as never }))).toEqual(['text for rows of Parquet']);
    expect(problems(file.tailSource({ path: 'a/*', schema: text(), eventTime: () => 0 }))).toEqual([
      'a/* cannot be followed',
    ]);
  });

  it('has nothing of the machine', () => {
    const settings = { path: 'data/*.ndjson', schema: 'json', changed: 'pass', every: '20ms' };
    expect(source('data/*.ndjson', { changed: 'pass' }).settings).toEqual(settings);
  });
});
