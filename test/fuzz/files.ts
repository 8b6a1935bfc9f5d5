import assert from 'node:assert';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { Encoder } from '@toondepauw/node-zstd';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { file } from '../../connectors/file/index.js';
import type { ReadFiles } from '../../connectors/file/kinds.js';
import type { Line } from '../../connectors/file/lines.js';
import { parquetRows } from '../../connectors/file/parquet/parquet-rows.js';
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

/** Of another writer, with what ours has not: lists and structures, other encodings and compressions (see parquet/make.py). */
const foreign = (name: string) => readFileSync(new URL(`./parquet/${name}.parquet`, import.meta.url));

const kinds = [
  { name: 'a.parquet', good: parquet('SNAPPY'), schema: json<unknown>() },
  { name: 'b.parquet', good: parquet('UNCOMPRESSED'), schema: json<unknown>() },
  { name: 'nested.parquet', good: foreign('nested'), schema: json<unknown>() },
  { name: 'nested-v2.parquet', good: foreign('nested-v2'), schema: json<unknown>() },
  { name: 'encodings.parquet', good: foreign('encodings'), schema: json<unknown>() },
  { name: 'gzip-v2.parquet', good: foreign('gzip-v2'), schema: json<unknown>() },
  { name: 'c.ndjson', good: lines, schema: ndjson<unknown>() },
  { name: 'd.ndjson.gz', good: gzipSync(lines), schema: ndjson<unknown>() },
  { name: 'e.ndjson.zst', good: new Encoder(3).encodeSync(lines), schema: ndjson<unknown>() },
  { name: 'f.csv', good: cells, schema: csv({ columns: { id: 'integer', name: 'text', score: 'number' } }) },
] as const;

/** Long enough for each of these files on a busy machine; a decoder that is kept busy by one is given up after it. */
const STALLED_MS = 3_000;

/** Bytes of a file's pages or of what it says of itself, whose size is then mostly told right: otherwise nothing of it is read. */
function spoiltParquet(good: Buffer, chance: Chance): Buffer {
  const footerBytes = good.readUInt32LE(good.length - 8);
  const start = good.length - 8 - footerBytes;
  const part = chance.below(3);
  const pages = part === 0 ? good.subarray(0, start) : sameLength(good.subarray(0, start), chance);
  if (part === 2) return Buffer.concat([pages, good.subarray(start)]);
  const footer =
    part === 0 ? spoilt(good.subarray(start, good.length - 8), chance) : good.subarray(start, good.length - 8);
  const end = Buffer.from(good.subarray(good.length - 8));
  if (!chance.oneIn(4)) end.writeUInt32LE(footer.length);
  return Buffer.concat([pages, footer, chance.oneIn(20) ? Buffer.alloc(3) : end]);
}

/** Spoilt, and of the same length: what follows stays where the footer says. */
function sameLength(good: Buffer, chance: Chance): Buffer {
  const mutant = spoilt(good, chance);
  return Buffer.concat([mutant.subarray(0, good.length), good.subarray(mutant.length)]);
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
      await writeFile(path, name.endsWith('.parquet') ? spoiltParquet(good, chance) : spoilt(good, chance));
      const { options } = file.source({ path, schema: schema as never, eventTime: () => 0 });
      const outcome = await outcomeOf(path, options as ReadFiles);
      const key = `${name.replace(/^[a-f]\./, '')}: ${outcome}`;
      outcomes.set(key, (outcomes.get(key) ?? 0) + 1);
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  return Object.fromEntries([...outcomes].sort());
}

const piecesOf = (path: string, options: ReadFiles): AsyncIterable<readonly Line[]> =>
  path.endsWith('.parquet') ? parquetRows(path, 0, undefined, { stalledMs: STALLED_MS }) : rowsOfFile(path, 0, options);

async function outcomeOf(path: string, options: ReadFiles): Promise<string> {
  const decoder = await openDecoder(options.schema, localRegistry());
  let bad = 0;
  try {
    for await (const piece of piecesOf(path, options)) {
      for (const { bytes, json } of piece) {
        try {
          const value = decoder.decode(bytes);
          if (json !== undefined) assert.deepStrictEqual(decoder.decodeJson?.(json), value);
        } catch (error) {
          if (!(error instanceof DecodeFailure)) throw error;
          bad += 1;
        }
      }
    }
    return bad > 0 ? 'rows and dead letters' : 'rows';
  } catch (error) {
    if (error instanceof MillraceError && error.code === 'source') {
      return error.message.includes('made no progress') ? 'given up' : 'refused';
    }
    throw error;
  }
}
