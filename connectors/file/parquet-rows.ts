import { gunzipSync } from 'node:zlib';
import { decompress as unzstd } from 'fzstd';
import type { AsyncBuffer } from 'hyparquet';
import { MillraceError, messageOf } from '../../src/core/errors.js';
import type { Line } from './lines.js';
import { byGroups } from './parquet-groups.js';
import { asJson, type Cell, parsers, takeDecimals } from './parquet-values.js';
import { type OpenRandom, openRandomFile } from './random-access.js';

/** Rows handed over at a time. */
const PIECE_ROWS = 1_000;

/**
 * The rows of a Parquet file from a row on, each as the bytes of a JSON object; `next` is the number of the next row.
 * Times are texts of ISO 8601; what no number holds exactly is a text; bytes are Base64; lists and structures are those of
 * JSON. Snappy, gzip and zstd are decompressed.
 *
 * Memory: one row group.
 *
 * @throws MillraceError `source` where it is no Parquet, or is compressed in another way.
 * @example
 * for await (const rows of parquetRows('trips.parquet', 0)) rows[0]?.bytes; // {"id":1,"at":"2026-11-26T04:00:00.000Z"}
 */
export async function* parquetRows(
  path: string,
  from: number,
  open: OpenRandom = openRandomFile,
): AsyncGenerator<Line[]> {
  const [{ parquetMetadataAsync, parquetScan }, { uncompressSync }] = await Promise.all([
    import('hyparquet'),
    import('snappy'),
  ]);
  const SNAPPY = (input: Uint8Array) => uncompressSync(input, { asBuffer: true }) as Buffer;
  const opened = await open(path).catch((cause: unknown) => {
    throw unreadable(path, cause, false);
  });
  try {
    const whole: AsyncBuffer = {
      byteLength: opened.size,
      slice: async (start, end = opened.size) => (await opened.read(start, end)).buffer,
    };
    const metadata = await parquetMetadataAsync(whole);
    const cells = takeDecimals(metadata, path);
    const { ranges, readColumn } = await parquetScan({
      file: byGroups(opened, metadata),
      metadata,
      compressors: { ...compressors, SNAPPY },
      parsers,
      utf8: false, // texts are those that say so
      useOffsetIndex: false, // row groups are read as a whole
    });
    const names = metadata.row_groups[0]?.columns.map(({ meta_data }) => meta_data?.path_in_schema[0] ?? '') ?? [];
    for (const { rowStart, rowEnd } of ranges) {
      if (rowEnd <= from) continue;
      const columns: Column[] = [];
      for (const name of new Set(names)) {
        columns.push({ name, data: await readColumn({ column: name, rowStart, rowEnd }), cell: cells.get(name) });
      }
      for (let row = Math.max(rowStart, from); row < rowEnd; row += PIECE_ROWS) {
        yield rowsOf(columns, rowStart, row, Math.min(rowEnd, row + PIECE_ROWS));
      }
    }
  } catch (cause) {
    throw unreadable(path, cause, true);
  } finally {
    await opened.close();
  }
}

interface Column {
  readonly name: string;
  readonly data: ArrayLike<unknown>;
  readonly cell: Cell | undefined;
}

function rowsOf(columns: readonly Column[], base: number, from: number, to: number): Line[] {
  const rows: Line[] = [];
  for (let row = from; row < to; row++) {
    const value: Record<string, unknown> = {};
    for (const { name, data, cell } of columns) {
      const raw = data[row - base] ?? null;
      value[name] = cell === undefined ? asJson(raw) : cell(raw);
    }
    rows.push({ bytes: Buffer.from(JSON.stringify(value)), next: row + 1 });
  }
  return rows;
}

const compressors = {
  GZIP: (input: Uint8Array) => gunzipSync(input),
  ZSTD: (input: Uint8Array, outputLength: number) => unzstd(input, new Uint8Array(outputLength)),
};

const unreadable = (path: string, cause: unknown, lasting: boolean): MillraceError =>
  cause instanceof MillraceError
    ? cause
    : new MillraceError('source', `cannot read the Parquet file: ${messageOf(cause)}`, {
        where: path,
        hint: 'is it complete, and compressed by Snappy, gzip or zstd, if at all?',
        lasting,
        cause,
      });
