import { assert } from '../../src/core/errors.js';
import type { SchemaRegistry } from '../../src/core/schema.js';
import { openCodec } from '../../src/schema/index.js';
import { rowPacker } from './parquet/packed-rows.js';
import { csvDelimiter, csvHeader, isParquet, type RowFormat } from './row-format.js';

/** A line, with or without its end, or raw bytes. */
export type Row = string | Uint8Array;

/** Encodes values for a part. */
export interface RowEncoder {
  /** The first line of each file, if any. */
  readonly header: string | undefined;
  encode(value: unknown): Row;
}

/** Opens the encoder of a format; rows for Parquet are packed. */
export async function openRowEncoder(format: RowFormat<unknown>, schemas: SchemaRegistry): Promise<RowEncoder> {
  if (isParquet(format)) return { header: undefined, encode: rowPacker(format.columns) };
  const { schema, header } = format;
  const codec = await openCodec(schema, schemas);
  assert(codec.textOf !== undefined, `${schema.format} in lines`);
  return {
    header: header ? csvHeader(schema).join(csvDelimiter(schema)) : undefined,
    encode: codec.textOf,
  };
}
