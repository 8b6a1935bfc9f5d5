import { createHash } from 'node:crypto';
import {
  existsSync,
  linkSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { Decoder } from '@toondepauw/node-zstd';
import { queryAsync } from 'chdb';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { type FileSinkOptions, file } from '../../../connectors/file/index.js';
import { openFiles } from '../../../connectors/file/open.js';
import { parquetRows } from '../../../connectors/file/parquet/parquet-rows.js';
import { GROUP_ROWS } from '../../../connectors/file/parquet/to-parquet.js';
import { minutes } from '../../../src/core/index.js';
import type { Sink, SinkWriter } from '../../../src/core/sink.js';
import { csv, localRegistry, ndjson } from '../../../src/schema/index.js';
import { originAt } from '../../../src/testing/contract.js';
import { sinkContract } from '../../../src/testing/sink-contract.js';
import { openWorld } from '../../profiles/embedded/world.js';
import { newFolder } from './folder.js';

const sink = (folder: string, options: Partial<FileSinkOptions<{ n: number }>> = {}): Sink<unknown> =>
  file.sink<{ n: number }>({ folder, schema: ndjson<{ n: number }>(), ...options } as FileSinkOptions<{
    n: number;
  }>) as Sink<never> as Sink<unknown>;

/** What readers see, by name; hidden folders are not for them. */
function shown(folder: string): Map<string, Buffer> {
  const found = new Map<string, Buffer>();
  const visit = (path: string) => {
    for (const name of readdirSync(join(folder, path)).sort()) {
      const below = join(path, name);
      if (name.startsWith('.')) continue;
      if (statSync(join(folder, below)).isDirectory()) visit(below);
      else found.set(below, readFileSync(join(folder, below)));
    }
  };
  visit('');
  return found;
}

/** What is hidden beside the files, but for the name of the sink that the folder belongs to. */
const partsIn = (folder: string): string[] => readdirSync(join(folder, '.millrace')).filter((name) => name !== 'owner');

const digest = (bytes: Buffer): string => `${bytes.length} bytes, ${createHash('sha256').update(bytes).digest('hex')}`;

const unpack = (name: string, bytes: Buffer): string =>
  (name.endsWith('.gz')
    ? gunzipSync(bytes)
    : name.endsWith('.zst')
      ? new Decoder().decodeSync(bytes)
      : bytes
  ).toString();

const numbersIn = (folder: string): number[] =>
  [...shown(folder)].flatMap(([name, bytes]) =>
    unpack(name, bytes)
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => (JSON.parse(line) as { n: number }).n),
  );

const opened: SinkWriter[] = [];
afterEach(async () => {
  for (const writer of opened.splice(0)) await writer.close();
  expect(handlesIn(tmpdir())).toEqual([]); // what is closed leaves no file open
});

/** Parts below a folder that this process has open, as far as the system tells. */
function handlesIn(folder: string): string[] {
  const own = '/proc/self/fd';
  if (!existsSync(own)) return [];
  const targets = readdirSync(own).map((fd) => {
    try {
      return readlinkSync(join(own, fd));
    } catch {
      return ''; // of the look itself
    }
  });
  return targets.filter((target) => target.startsWith(folder) && target.includes('.millrace'));
}

interface Opened {
  readonly writer: SinkWriter;
  epoch(): Promise<unknown>;
}

/** A task without a runtime: its committable is what a checkpoint would have. */
async function open(
  made: Sink<unknown>,
  committable?: unknown,
  now: () => number = () => 0,
  incarnation = 0,
): Promise<Opened> {
  const { sink: driver } = openFiles({ schemas: localRegistry(), now });
  const task = { topology: 't', partition: 3 };
  const stored = committable === undefined ? undefined : JSON.parse(JSON.stringify(committable));
  const writer = await driver.open(made, { step: 'out', task, incarnation, committable: stored });
  opened.push(writer);
  return {
    writer,
    async epoch() {
      const prepared = await writer.prepare?.();
      await writer.commit?.();
      return prepared;
    },
  };
}

const write = (writer: SinkWriter, numbers: readonly number[]) =>
  writer.write(
    numbers.map((n) => ({ n })),
    numbers.map((n) => originAt(n)),
  );

const range = (from: number, count: number) => Array.from({ length: count }, (_, i) => from + i);

describe('file.sink', () => {
  for (const compression of [undefined, 'gzip', 'zstd'] as const) {
    describe(`keeps the contract of a prepared sink, ${compression ?? 'plain'}`, () => {
      const checks = sinkContract('prepared', async () => {
        const world = await openWorld();
        const folder = mkdtempSync(join(tmpdir(), 'millrace-files-'));
        return {
          driver: openFiles({ schemas: localRegistry() }).sink,
          // Files of five: every epoch of the contract fills its last one.
          sink: sink(folder, { ...(compression ? { compression } : {}), roll: { rows: 5 } }),
          openLedger: (task) => world.embedded.openLedger(task),
          value: (n) => ({ n }),
          visible: async () => numbersIn(folder),
          async close() {
            await world.close();
            rmSync(folder, { recursive: true });
          },
        };
      });
      for (const { name, run } of checks) it(name, run);
    });
  }

  it('has every row in exactly one file, wherever tasks die and however a replay is cut', async () => {
    const step = fc.record({
      rows: fc.integer({ min: 0, max: 12 }),
      dies: fc.constantFrom('never', 'written', 'prepared', 'stored', 'shown'),
    });
    const options = fc.record({
      rows: fc.integer({ min: 1, max: 15 }),
      compression: fc.constantFrom<undefined | 'gzip' | 'zstd'>(undefined, 'gzip', 'zstd'),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 12 }), options, async (steps, { rows, compression }) => {
        const folder = newFolder();
        const made = sink(folder, { ...(compression ? { compression } : {}), roll: { rows } });
        let committable: unknown;
        let stored = 0;
        let task = await open(made);
        const zombies: SinkWriter[] = [];
        for (const { rows: count, dies } of steps) {
          await write(task.writer, range(stored, count));
          if (dies !== 'written') {
            const prepared = await task.writer.prepare?.();
            if (dies !== 'prepared') {
              committable = prepared;
              stored += count;
              if (dies !== 'stored') await task.writer.commit?.();
            }
          }
          if (dies === 'never') continue;
          zombies.push(task.writer);
          task = await open(made, committable);
          // Who died may only sleep, and go on writing until it is told.
          const zombie = zombies[zombies.length - 1] as SinkWriter;
          await write(zombie, range(90_000, 3));
          await zombie.prepare?.().catch(() => undefined);
        }
        task.writer.finish?.();
        await task.epoch();
        expect(numbersIn(folder).sort((a, b) => a - b)).toEqual(range(0, stored));
        for (const zombie of zombies) await zombie.close();
        await task.writer.close();
        const last = await open(made, await task.writer.prepare?.());
        await last.epoch();
        expect(partsIn(folder)).toEqual([]);
      }),
      { numRuns: 60 },
    );
  });

  it('gives files the same names in every replay', async () => {
    const names = async (cuts: readonly number[]) => {
      const folder = newFolder();
      const { writer, epoch } = await open(sink(folder, { roll: { rows: 10 } }));
      let from = 0;
      for (const cut of cuts) {
        await write(writer, range(from, cut));
        await epoch();
        from += cut;
      }
      return [...shown(folder)].map(([name, bytes]) => `${name} ${bytes.toString().split('\n')[0]}`);
    };
    const expected = [0, 1, 2].map((i) => `part-00003-0-0000000${i}.ndjson {"n":${i * 10}}`);
    expect(await names([35])).toEqual(expected);
    expect(await names([3, 15, 2, 15])).toEqual(expected);
  });

  it('ends a file by its bytes and by its age, and asks for an epoch then', async () => {
    const folder = newFolder();
    let nowMs = 0;
    const made = sink(folder, { roll: { bytes: 40, age: minutes(5) } });
    const { writer, epoch } = await open(made, undefined, () => nowMs);
    await write(writer, range(100, 8)); // 10 bytes a row
    await epoch();
    expect(shown(folder).size).toBe(2);
    await write(writer, [200]);
    await epoch();
    expect([shown(folder).size, writer.isDue?.()]).toEqual([2, false]);
    nowMs = minutes(5);
    expect(writer.isDue?.()).toBe(true);
    await epoch();
    expect([shown(folder).size, writer.isDue?.()]).toEqual([3, false]);
  });

  it('has a folder for each hour of event time, and few of them open', async () => {
    const folder = newFolder();
    const { writer, epoch } = await open(sink(folder, { by: 'hour' }));
    const hour = (n: number, h: number) => ({ ...originAt(n), eventTimeMs: Date.UTC(2026, 10, 26, h) + n });
    await writer.write([{ n: 1 }, { n: 2 }, { n: 3 }], [hour(1, 4), hour(2, 5), hour(3, 4)]);
    for (let i = 0; i < 40; i++) await writer.write([{ n: 100 + i }], [{ ...originAt(i), eventTimeMs: i * 3_600_000 }]);
    await epoch();
    expect(shown(folder).size).toBe(10); // 42 in all, of which 32 stay open
    writer.finish?.();
    await epoch();
    const files = shown(folder);
    expect(files.get('date=2026-11-26/hour=04/part-00003-0-00000000.ndjson')?.toString()).toBe('{"n":1}\n{"n":3}\n');
    expect(files.get('date=2026-11-26/hour=05/part-00003-0-00000001.ndjson')?.toString()).toBe('{"n":2}\n');
    expect(files.size).toBe(42);
  });

  it('writes CSV with the names of its columns in front of each file', async () => {
    const folder = newFolder();
    const schema = csv({ columns: { n: 'integer' } });
    const { writer, epoch } = await open(sink(folder, { schema, header: true, roll: { rows: 2 } } as never));
    await write(writer, [1, 2, 3]);
    writer.finish?.();
    await epoch();
    expect([...shown(folder).values()].map(String)).toEqual(['n\n1\n2\n', 'n\n3\n']);
  });

  it('writes Parquet that a foreign engine reads', async () => {
    const folder = newFolder();
    const columns = { n: 'integer', name: 'text?', at: 'date', rate: 'number', ok: 'boolean?', big: 'bigint' } as const;
    const made = file.sink<Record<keyof typeof columns, unknown>>({ folder, columns, roll: { rows: 3 } });
    const first = await open(made as Sink<never> as Sink<unknown>);
    const row = (n: number) => ({
      n,
      name: n % 2 ? `name ${n} "ü"` : null,
      at: new Date(1_700_000_000_000 + n),
      rate: n / 3,
      ok: n % 3 === 0 ? undefined : n % 3 === 1,
      big: BigInt(n) << 40n,
    });
    await first.writer.write([row(0), row(1)], [originAt(0), originAt(1)]);
    const committable = await first.epoch();
    await first.writer.close();
    const second = await open(made as Sink<never> as Sink<unknown>, committable);
    await second.writer.write([row(2), row(3)], [originAt(2), originAt(3)]);
    second.writer.finish?.();
    await second.epoch();
    expect([...shown(folder).keys()]).toEqual(['part-00003-0-00000000.parquet', 'part-00003-0-00000001.parquet']);
    const sql = `SELECT n, name, toUnixTimestamp64Milli(at) AS at, rate, ok, big FROM file('${folder}/*.parquet', Parquet) ORDER BY n`;
    const settings = 'SETTINGS output_format_json_quote_64bit_integers = 0';
    const { data } = (await queryAsync(`${sql} ${settings}`, { format: 'JSON' })).json<{ data: unknown[] }>();
    expect(data).toEqual(
      range(0, 4).map((n) => {
        const { at, ok, big, ...plain } = row(n);
        return { ...plain, at: at.getTime(), ok: ok ?? null, big: Number(big) };
      }),
    );
  });

  it('makes row groups of Parquet while rows come, and the same file after a task died among them', async () => {
    const rows = 2 * GROUP_ROWS + 10;
    const origins = range(0, rows).map((n) => originAt(n));
    const made = (folder: string) =>
      file.sink<{ n: number }>({ folder, columns: { n: 'integer' } }) as Sink<never> as Sink<unknown>;
    const write = (writer: SinkWriter, from: number, to: number) =>
      writer.write(
        range(from, to - from).map((n) => ({ n })),
        origins.slice(from, to),
      );
    const [atOnce, killed] = [newFolder(), newFolder()];

    const first = await open(made(atOnce));
    await write(first.writer, 0, rows);
    const parts = partsIn(atOnce);
    expect(parts).toHaveLength(2);
    const converted = parts.find((name) => name.endsWith('.converted')) as string;
    await expect.poll(() => statSync(join(atOnce, '.millrace', converted)).size).toBeGreaterThan(GROUP_ROWS);
    first.writer.finish?.();
    await first.epoch();

    const second = await open(made(killed));
    await write(second.writer, 0, GROUP_ROWS - 5);
    const committable = await second.epoch();
    await write(second.writer, GROUP_ROWS - 5, rows);
    await second.writer.close();
    const third = await open(made(killed), committable);
    await write(third.writer, GROUP_ROWS - 5, rows);
    third.writer.finish?.();
    await third.epoch();
    expect(partsIn(killed)).toEqual([]);
    expect([...shown(killed)].map(([name, bytes]) => [name, digest(bytes)])).toEqual(
      [...shown(atOnce)].map(([name, bytes]) => [name, digest(bytes)]),
    );
  });

  it('loses no row of Parquet where a task dies between the end of a part and its checkpoint', async () => {
    const folder = newFolder();
    const made = file.sink<{ n: number }>({ folder, columns: { n: 'integer' }, roll: { rows: 3 } });
    const first = await open(made as Sink<never> as Sink<unknown>);
    await write(first.writer, [0, 1]);
    const committable = await first.epoch();
    await write(first.writer, [2]);
    await first.writer.prepare?.(); // the part is complete, and the checkpoint that says so never stored
    const second = await open(made as Sink<never> as Sink<unknown>, committable);
    await write(second.writer, [2]);
    await second.epoch();
    const rows: string[] = [];
    for await (const some of parquetRows(join(folder, 'part-00003-0-00000000.parquet'), 0)) {
      for (const { bytes } of some) rows.push(Buffer.from(bytes).toString());
    }
    expect(rows).toEqual(['{"n":0}', '{"n":1}', '{"n":2}']);
    expect(partsIn(folder)).toEqual([]);
    await first.writer.close();
    await second.writer.close();
  });

  it('refuses what fits no column, what is there already, and a part that was taken away', async () => {
    const folder = newFolder();
    const parquet = await open(
      file.sink<{ n: number }>({ folder, columns: { n: 'integer' } }) as Sink<never> as Sink<unknown>,
    );
    await expect((async () => parquet.writer.write([{ n: 'x' }], [originAt(0)]))()).rejects.toMatchObject({
      code: 'schema',
      permanent: true,
    });
    const { writer, epoch } = await open(sink(folder));
    await write(writer, [1]);
    const committable = await epoch();
    await writer.close();
    rmSync(join(folder, '.millrace'), { recursive: true });
    await expect(open(sink(folder), committable)).rejects.toMatchObject({ code: 'sink', permanent: true });

    writeFileSync(join(folder, 'part-00003-0-00000000.ndjson'), 'of somebody else');
    const other = await open(sink(folder));
    await expect((async () => write(other.writer, [1]))()).rejects.toMatchObject({ code: 'config', permanent: true });
    expect(readFileSync(join(folder, 'part-00003-0-00000000.ndjson'), 'utf8')).toBe('of somebody else');
  });

  it('never writes over a file, and shows a part once where its process died half way', async () => {
    const folder = newFolder();
    const name = 'part-00003-0-00000000.ndjson';
    const { writer } = await open(sink(folder));
    await write(writer, [1]);
    writer.finish?.();
    const committable = await writer.prepare?.();
    writeFileSync(join(folder, name), 'of somebody else');
    await expect(writer.commit?.()).rejects.toMatchObject({
      code: 'config',
      message: expect.stringContaining(`${name} already exists`),
      permanent: true,
    });
    expect(readFileSync(join(folder, name), 'utf8')).toBe('of somebody else');
    await writer.close();

    rmSync(join(folder, name));
    const [part] = partsIn(folder).filter((each) => each.endsWith('.part'));
    linkSync(join(folder, '.millrace', String(part)), join(folder, name)); // and died before it removed the part
    await open(sink(folder), committable);
    expect(numbersIn(folder)).toEqual([1]);
    expect(partsIn(folder)).toEqual([]);
  });

  it('refuses a folder that belongs to another sink, and loses no row of either', async () => {
    const folder = newFolder();
    const { sink: driver } = openFiles({ schemas: localRegistry() });
    const of = (topology: string, partition: number) =>
      driver.open(sink(folder), { step: 'out', task: { topology, partition }, incarnation: 0 });
    const writers = await Promise.all([of('one', 0), of('one', 1)]);
    await expect(of('two', 0)).rejects.toMatchObject({
      code: 'config',
      message: `${folder} belongs to the sink one/out`,
      permanent: true,
    });
    for (const [task, writer] of writers.entries()) {
      await write(writer, range(task * 10, 10));
      writer.finish?.();
      await writer.prepare?.();
      await writer.commit?.();
      await writer.close();
    }
    expect(numbersIn(folder)).toEqual(range(0, 20));
  });

  it('goes on from a savepoint, under names of its own', async () => {
    const folder = newFolder();
    const made = sink(folder, { roll: { rows: 3 } });
    const first = await open(made);
    await write(first.writer, [0, 1]);
    const savepoint = await first.epoch();
    await write(first.writer, [2, 3, 4, 5]);
    await first.epoch(); // shows the file that the savepoint has open
    const again = await open(made, savepoint, () => 0, 1);
    await write(again.writer, [2, 3]);
    again.writer.finish?.();
    await again.epoch();
    expect([...shown(folder).keys()]).toEqual([
      'part-00003-0-00000000.ndjson',
      'part-00003-0-00000001.ndjson',
      'part-00003-1-00000001.ndjson',
    ]);
    expect(existsSync(folder)).toBe(true);
  });

  it('says what is wrong with its options', () => {
    const problems = (options: object) => sink('out', options).problems?.map(({ message }) => message);
    expect(problems({})).toEqual([]);
    expect(problems({ header: true, roll: { rows: 0 } })).toEqual(['a header line in json', 'roll: rows is 0']);
    expect(file.sink({ folder: 'out', columns: { n: 'int' } as never }).problems?.[0]?.message).toBe(
      'column n is "int"',
    );
    for (const roll of [5, 'rows']) expect(problems({ roll })).not.toEqual([]);
    for (const columns of [5, 'n'])
      expect(file.sink({ folder: 'out', columns: columns as never }).problems).not.toEqual([]);
  });
});
