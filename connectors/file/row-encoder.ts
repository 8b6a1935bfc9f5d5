import { MillraceError } from '../../src/core/errors.js';
import type { SchemaRegistry } from '../../src/core/schema.js';
import { openCodec } from '../../src/schema/index.js';
import { csvDelimiter, csvHeader, isParquet, type RowFormat } from './row-format.js';

/** Values as the lines of a part. */
export interface RowEncoder {
  /** The first line of each file, where it has one. */
  readonly header: Uint8Array | undefined;
  encode(value: unknown): Uint8Array;
}

const LINE_END = Buffer.from('\n');

/** Opens the encoder of a format; what goes to Parquet lies in its part as lines of JSON first. */
export async function openRowEncoder(format: RowFormat<unknown>, schemas: SchemaRegistry): Promise<RowEncoder> {
  if (isParquet(format)) return { header: undefined, encode: columnEncoder(format.columns) };
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

/** A row as an array of the columns' values, each in a form that JSON has. */
function columnEncoder(columns: Readonly<Record<string, string | undefined>>): RowEncoder['encode'] {
  const cells = Object.entries(columns).map(([name, type]) => cellOf(name, String(type)));
  return (value) => {
    const row = (value ?? {}) as Readonly<Record<string, unknown>>;
    return Buffer.from(`${JSON.stringify(cells.map((cell) => cell(row)))}\n`);
  };
}

const isOf: Readonly<Record<string, (value: unknown) => boolean>> = {
  text: (value) => typeof value === 'string',
  number: (value) => typeof value === 'number' && Number.isFinite(value),
  integer: (value) => Number.isSafeInteger(value),
  bigint: (value) => typeof value === 'bigint' && BigInt.asIntN(64, value) === value,
  boolean: (value) => typeof value === 'boolean',
  date: (value) => (value instanceof Date && !Number.isNaN(value.getTime())) || Number.isSafeInteger(value),
};

function cellOf(name: string, type: string): (row: Readonly<Record<string, unknown>>) => unknown {
  const optional = type.endsWith('?');
  const kind = optional ? type.slice(0, -1) : type;
  const fits = isOf[kind] as (value: unknown) => boolean;
  return (row) => {
    const value = row[name];
    if (optional && (value === null || value === undefined)) return null;
    if (fits(value)) return value instanceof Date ? value.getTime() : typeof value === 'bigint' ? String(value) : value;
    throw new MillraceError('schema', `column ${name}: a ${typeof value} is no ${type}`, {
      where: name,
      hint: 'emit rows with a value of the right type for every column',
      lasting: true,
    });
  };
}
