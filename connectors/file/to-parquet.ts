import { createReadStream } from 'node:fs';
import type { ColumnSource } from 'hyparquet-writer';
import { Lines } from './lines.js';

/** Rows of a row group. */
const GROUP_ROWS = 100_000;

type Columns = Readonly<Record<string, string | undefined>>;
type Row = readonly unknown[];

/**
 * Makes a Parquet file of the lines of a part, compressed by Snappy: a row group for each 100,000 rows.
 *
 * Memory: one row group.
 */
export async function toParquet(lines: string, file: string, columns: Columns): Promise<void> {
  const [{ ParquetWriter, schemaFromColumnData }, { fileWriter }] = await Promise.all([
    import('hyparquet-writer'),
    import('hyparquet-writer/src/node.js'),
  ]);
  const empty = columnsOf(columns, []);
  const parquet = new ParquetWriter({
    writer: fileWriter(file),
    schema: schemaFromColumnData({ columnData: empty }),
  });
  let rows: Row[] = [];
  const write = async () => {
    await parquet.write({ columnData: columnsOf(columns, rows), rowGroupSize: GROUP_ROWS });
    rows = [];
  };
  const cut = new Lines({ at: 0, quoted: false, bytesMax: Number.MAX_SAFE_INTEGER });
  for await (const piece of createReadStream(lines, { highWaterMark: 256 * 1024 })) {
    for (const { bytes } of cut.push(piece as Uint8Array)) {
      rows.push(JSON.parse(Buffer.from(bytes).toString()) as Row);
      if (rows.length === GROUP_ROWS) await write();
    }
  }
  if (rows.length > 0) await write();
  await parquet.finish();
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
