import { createReadStream, createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import type { ColumnSource } from 'hyparquet-writer';
import { Lines } from './lines.js';

/** Rows of a row group. */
const GROUP_ROWS = 100_000;

type Columns = Readonly<Record<string, string | undefined>>;
type Row = readonly unknown[];

/** Makes a Parquet file of a file of lines. */
export async function toParquet(lines: string, file: string, columns: Columns): Promise<void> {
  const bytes = parquetOf(createReadStream(lines, { highWaterMark: 256 * 1024 }), columns);
  await pipeline(bytes, createWriteStream(file));
}

/**
 * The bytes of a Parquet file, made of the lines of a part: compressed by Snappy, a row group for each 100,000 rows. The same
 * lines give the same bytes, whatever pieces they come in.
 *
 * Memory: one row group.
 */
export async function* parquetOf(
  lines: AsyncIterable<Uint8Array>,
  columns: Columns,
  groupRows = GROUP_ROWS,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const { ByteWriter, ParquetWriter, schemaFromColumnData } = await import('hyparquet-writer');
  const writer = new ByteWriter();
  const parquet = new ParquetWriter({ writer, schema: schemaFromColumnData({ columnData: columnsOf(columns, []) }) });
  const written = (): Uint8Array<ArrayBuffer> => {
    const bytes = writer.getBytes().slice();
    writer.index = 0; // its buffer is used again; `offset` goes on
    return bytes;
  };
  let rows: Row[] = [];
  const group = (): Uint8Array<ArrayBuffer> => {
    parquet.write({ columnData: columnsOf(columns, rows), rowGroupSize: groupRows });
    rows = [];
    return written();
  };
  const cut = new Lines({ at: 0, quoted: false, bytesMax: Number.MAX_SAFE_INTEGER });
  for await (const piece of lines) {
    for (const { bytes } of cut.push(piece)) {
      rows.push(JSON.parse(Buffer.from(bytes).toString()) as Row);
      if (rows.length === groupRows) yield group();
    }
  }
  if (rows.length > 0) yield group();
  parquet.finish();
  yield written();
}

const kinds: Readonly<Record<string, { readonly type: ColumnSource['type']; read(value: unknown): unknown }>> = {
  text: { type: 'STRING', read: (value) => value },
  number: { type: 'DOUBLE', read: (value) => value },
  integer: { type: 'INT64', read: (value) => BigInt(value as number) },
  bigint: { type: 'INT64', read: (value) => BigInt(value as string) },
  boolean: { type: 'BOOLEAN', read: (value) => value },
  date: { type: 'TIMESTAMP', read: (value) => new Date(value as number) },
};

function columnsOf(columns: Columns, rows: readonly Row[]): ColumnSource[] {
  return Object.entries(columns).map(([name, declared], i) => {
    const nullable = String(declared).endsWith('?');
    const kind = kinds[String(declared).replace('?', '')] as (typeof kinds)[string];
    const data = rows.map((row) => (row[i] === null ? null : kind.read(row[i])));
    return { name, data, type: kind.type as NonNullable<ColumnSource['type']>, nullable };
  });
}
