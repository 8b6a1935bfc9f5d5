import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FileSinkOptions, file } from '../../../connectors/file/index.js';
import { openFiles } from '../../../connectors/file/open.js';
import { EARLIEST } from '../../../src/core/checkpoint.js';
import type { Schema } from '../../../src/core/schema.js';
import type { Sink } from '../../../src/core/sink.js';
import type { Source } from '../../../src/core/source.js';
import { csv, json, localRegistry, ndjson, openDecoder } from '../../../src/schema/index.js';
import { originAt } from '../../../src/testing/contract.js';
import { readBy, writtenIn } from './foreign.js';

const { source, sink } = openFiles({ schemas: localRegistry() });
let folder: string;
let written: ReturnType<typeof writtenIn>;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-interop-'));
  written = writtenIn(folder);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const NoteCsv = csv({ columns: { id: 'integer', name: 'text', note: 'text?' } });
const schemaOf = (name: string): Schema<unknown> =>
  name.includes('.csv')
    ? (NoteCsv as object as Schema<unknown>)
    : name.endsWith('.parquet')
      ? json<unknown>()
      : ndjson<unknown>();

/** The rows of a file by its source, decoded; and again from the place of one in the middle. */
async function rowsOf(name: string, from = 0): Promise<unknown[]> {
  const schema = schemaOf(name);
  const made = file.source({ path: join(folder, name), schema, header: name.includes('.csv'), eventTime: () => 0 });
  const codec = await openDecoder(schema, localRegistry());
  const open = (offset: number, place?: unknown) =>
    source.open(made as Source<unknown>, {
      task: { topology: 't', partition: 0 },
      partition: 0,
      offset,
      bounded: true,
      step: 'in',
      sourceState: place,
    });
  const rows: unknown[] = [];
  let reader = await open(EARLIEST);
  for (let ended = false; !ended; ) {
    const polled = await reader.poll(7);
    rows.push(...polled.records.map(({ value }) => codec.decode(value as Uint8Array)));
    ended = polled.ended;
    if (from > 0 && rows.length >= from) {
      const place = JSON.parse(JSON.stringify(reader.sourceStateOf?.(from)));
      rows.length = from;
      await reader.close();
      reader = await open(from, place);
      from = 0;
    }
  }
  await reader.close();
  return rows;
}

describe('files that others wrote', () => {
  const names = ['plain', 'snappy', 'gzip', 'brotli', 'zstd', 'fallen', 'delta', 'int96', 'none'].map(
    (name) => `${name}.parquet`,
  );
  const lines = ['ndjson', 'csv'].flatMap((kind) => ['', '.gz', '.zst'].map((ending) => `a.${kind}${ending}`));
  for (const name of [...names, ...lines]) {
    it(`${name}: every row as it was written, from any row on`, async () => {
      const wanted = written[name] ?? [];
      expect(await rowsOf(name)).toEqual(wanted);
      if (wanted.length > 1) expect(await rowsOf(name, Math.floor(wanted.length * 0.6))).toEqual(wanted);
    });
  }

  it('are refused where they are of a kind that is not read, by the name of what it is', async () => {
    await expect(rowsOf('lz4.parquet')).rejects.toMatchObject({
      code: 'source',
      permanent: true,
      message: expect.stringContaining('LZ4'),
    });
    await expect(rowsOf('nested-decimal.parquet')).rejects.toMatchObject({
      code: 'source',
      permanent: true,
      message: expect.stringContaining('column a'),
    });
  });
});

describe('files that others read', () => {
  async function write<T>(options: FileSinkOptions<T>, values: readonly T[]): Promise<string> {
    const made = file.sink<T>(options) as Sink<never> as Sink<unknown>;
    const writer = await sink.open(made, { step: 'out', task: { topology: 't', partition: 0 }, incarnation: 0 });
    for (let n = 0; n < values.length; n += 100) {
      const some = values.slice(n, n + 100);
      await writer.write(
        some,
        some.map((_, i) => originAt(n + i)),
      );
      await writer.prepare?.(); // a piece for each epoch
    }
    writer.finish?.();
    await writer.prepare?.();
    await writer.commit?.();
    await writer.close();
    const [name = ''] = readdirSync(options.folder).filter((each) => !each.startsWith('.'));
    return join(options.folder, name);
  }
  const range = (to: number) => Array.from({ length: to }, (_, n) => n);

  it('hold every row, as Parquet and as lines, whole and compressed', async () => {
    const columns = {
      id: 'integer',
      big: 'bigint',
      text: 'text?',
      rate: 'number?',
      ok: 'boolean',
      at: 'date',
    } as const;
    const rows = range(250).map((n) => ({
      id: n,
      big: 2n ** 60n + BigInt(n),
      text: n % 3 === 0 ? null : `ü "${n}"\r\n, ;`,
      rate: n % 5 === 0 ? undefined : n / 7,
      ok: n % 2 === 0,
      at: new Date(1_700_000_000_000 + n),
    }));
    const parquet = await write<Record<keyof typeof columns, unknown>>({ folder: join(folder, 'p'), columns }, rows);
    const values = rows.map(({ id, text }) => ({ id, text }));
    const notes = range(250).map((n) => ({ id: n, name: `a "${n}",\r\n b`, note: n % 2 ? null : ' kept ' }));
    const paths = [parquet];
    for (const compression of [undefined, 'gzip', 'zstd'] as const) {
      const packed = compression === undefined ? {} : { compression };
      const at = (kind: string) => join(folder, `${kind}-${compression}`);
      paths.push(await write({ folder: at('n'), schema: ndjson<object>(), ...packed }, values));
      paths.push(await write({ folder: at('c'), schema: NoteCsv, header: true, ...packed }, notes));
    }
    const [table, ...lines] = readBy(...paths);
    expect(table).toEqual(
      rows.map((row) => ({ ...row, big: String(row.big), rate: row.rate ?? null, at: row.at.getTime() })),
    );
    const cells = notes.map(({ id, name, note }) => ({ id: String(id), name, note: note ?? '' }));
    expect(lines).toEqual([values, cells, values, cells, values, cells]);
  });
});
