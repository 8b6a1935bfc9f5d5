import type { SchemaRegistry } from '../../src/core/schema.js';
import { openCodec } from '../../src/schema/index.js';
import { rowPacker } from './packed-rows.js';
import { csvDelimiter, csvHeader, isParquet, type RowFormat } from './row-format.js';

/** Values as they lie in a part. */
export interface RowEncoder {
  /** The first line of each file, where it has one. */
  readonly header: Uint8Array | undefined;
  encode(value: unknown): Uint8Array;
}

const LINE_END = Buffer.from('\n');

/** Opens the encoder of a format; what is to become Parquet lies packed in its part. */
export async function openRowEncoder(format: RowFormat<unknown>, schemas: SchemaRegistry): Promise<RowEncoder> {
  if (isParquet(format)) return { header: undefined, encode: rowPacker(format.columns) };
  const { schema, header } = format;
  const codec = await openCodec(schema, schemas);
  const names = header ? `${csvHeader(schema).join(csvDelimiter(schema))}\n` : undefined;
  return {
    header: names === undefined ? undefined : Buffer.from(names),
    encode(value) {
      const bytes = codec.encode(value);
      if (bytes[bytes.length - 1] === 0x0a) return bytes;
      return Buffer.concat([bytes, LINE_END]);
    },
  };
}
