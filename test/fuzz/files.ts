import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { Encoder } from '@toondepauw/node-zstd';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { file } from '../../connectors/file/index.js';
import type { ReadFiles } from '../../connectors/file/read-options.js';
import { rowsOfFile } from '../../connectors/file/rows-of-file.js';
import { MillraceError } from '../../src/core/errors.js';
import { csv, DecodeFailure, json, localRegistry, ndjson, openDecoder } from '../../src/schema/index.js';
import { type Chance, chanceOf } from './chance.js';
import { spoilt } from './spoilt-bytes.js';

// Files that are damaged or hostile, by what their names end in.

const rows = Array.from({ length: 40 }, (_, n) => ({ id: n, name: `name ${n}`, at: new Date(1e12 + n), score: n / 7 }));
const lines = Buffer.from(rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
const cells = Buffer.from(rows.map(({ id, name, score }) => `${id},"${name}",${score}\n`).join(''));
const parquet = (codec: 'SNAPPY' | 'UNCOMPRESSED') =>
  Buffer.from(
    parquetWriteBuffer({
      codec,
      columnData: [
        { name: 'id', data: rows.map(({ id }) => id), type: 'INT32' },
        { name: 'name', data: rows.map(({ name }) => name), type: 'STRING' },
        { name: 'at', data: rows.map(({ at }) => at), type: 'TIMESTAMP' },
        { name: 'score', data: rows.map(({ score }) => score), type: 'DOUBLE' },
      ],
    }),
  );

const kinds = [
  { name: 'a.parquet', good: parquet('SNAPPY'), schema: json<unknown>() },
  { name: 'b.parquet', good: parquet('UNCOMPRESSED'), schema: json<unknown>() },
  { name: 'c.ndjson', good: lines, schema: ndjson<unknown>() },
  { name: 'd.ndjson.gz', good: gzipSync(lines), schema: ndjson<unknown>() },
  { name: 'e.ndjson.zst', good: new Encoder(3).encodeSync(lines), schema: ndjson<unknown>() },
  { name: 'f.csv', good: cells, schema: csv({ columns: { id: 'integer', name: 'text', score: 'number' } }) },
] as const;

/**
 * What a file says of itself, but not its pages: the library that decodes them can be kept busy without end by spoilt levels
 * (docs/connectors/file.md says so).
 */
function withSpoiltFooter(good: Buffer, chance: Chance): Buffer {
  const footerBytes = good.readUInt32LE(good.length - 8);
  const start = good.length - 8 - footerBytes;
  const footer = spoilt(good.subarray(start, good.length - 8), chance);
  const end = Buffer.from(good.subarray(good.length - 8));
  if (!chance.oneIn(4)) end.writeUInt32LE(footer.length);
  return Buffer.concat([good.subarray(0, start), footer, chance.oneIn(20) ? Buffer.alloc(3) : end]);
}

/** Reads so many of them. Throws where one gives anything but rows, dead letters, or a typed error. */
export async function fuzzFiles(count: number, seed: number): Promise<Readonly<Record<string, number>>> {
  const chance = chanceOf(seed);
  const folder = await mkdtemp(join(tmpdir(), 'millrace-fuzz-'));
  const outcomes = new Map<string, number>();
  try {
    for (let done = 0; done < count; done++) {
      const { name, good, schema } = chance.pick(kinds);
      const path = join(folder, name);
      await writeFile(path, name.endsWith('.parquet') ? withSpoiltFooter(good, chance) : spoilt(good, chance));
      const { options } = file.source({ path, schema: schema as never, eventTime: () => 0 });
      const outcome = await outcomeOf(path, options as ReadFiles);
      const key = `${name.slice(2)}: ${outcome}`;
      outcomes.set(key, (outcomes.get(key) ?? 0) + 1);
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  return Object.fromEntries([...outcomes].sort());
}

async function outcomeOf(path: string, options: ReadFiles): Promise<string> {
  const decoder = await openDecoder(options.schema, localRegistry());
  let bad = 0;
  try {
    for await (const piece of rowsOfFile(path, 0, options)) {
      for (const { bytes } of piece) {
        try {
          decoder.decode(bytes);
        } catch (error) {
          if (!(error instanceof DecodeFailure)) throw error;
          bad += 1;
        }
      }
    }
    return bad > 0 ? 'rows and dead letters' : 'rows';
  } catch (error) {
    if (error instanceof MillraceError && error.code === 'source') return 'refused';
    throw error;
  }
}
