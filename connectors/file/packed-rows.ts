import type { BasicType } from 'hyparquet-writer';
import { MillraceError } from '../../src/core/errors.js';
import { ByteReader } from '../../src/schema/bytes/byte-reader.js';
import { ByteWriter } from '../../src/schema/bytes/byte-writer.js';

// Rows that are to become Parquet lie packed in their part: Parquet holds columns, so a file of it cannot grow row by row.
// A row is its length (four bytes, little-endian), then cell after cell; one that may be missing has a byte in front that says so.

/** Names of columns and what they hold, as `csv()` has it. */
export type Columns = Readonly<Record<string, string | undefined>>;

interface Kind {
  /** Of Parquet. */
  readonly type: BasicType;
  /** Whether there is room for it: nothing is written of a value that is none of this kind. */
  write(writer: ByteWriter, value: unknown): boolean;
  /** In the form that Parquet's writer wants. */
  read(reader: ByteReader, texts: Texts): unknown;
  /** Where all rows have a value, arrays of these take their values' place: nothing of them is for the garbage collector. */
  readonly Numbers?: typeof Float64Array | typeof BigInt64Array;
}

const isWhole = (value: unknown): value is number => Number.isSafeInteger(value);

const kinds: Readonly<Record<string, Kind>> = {
  text: {
    type: 'STRING',
    write(writer, value) {
      if (typeof value !== 'string') return false;
      writer.text(value, 0);
      return true;
    },
    read: (reader, texts) => texts.one(reader.text(reader.unsigned())),
  },
  number: {
    type: 'DOUBLE',
    write(writer, value) {
      if (typeof value !== 'number' || !Number.isFinite(value)) return false;
      writer.double(value);
      return true;
    },
    read: (reader) => reader.double(),
    Numbers: Float64Array,
  },
  integer: {
    type: 'INT64',
    write(writer, value) {
      if (!isWhole(value)) return false;
      writer.zigzag(value);
      return true;
    },
    read: (reader) => BigInt(reader.zigzag()),
    Numbers: BigInt64Array,
  },
  bigint: {
    type: 'INT64',
    write(writer, value) {
      if (typeof value !== 'bigint' || BigInt.asIntN(64, value) !== value) return false;
      writer.zigzag64(value);
      return true;
    },
    read: (reader) => reader.zigzag64(),
    Numbers: BigInt64Array,
  },
  boolean: {
    type: 'BOOLEAN',
    write(writer, value) {
      if (typeof value !== 'boolean') return false;
      writer.byte(value ? 1 : 0);
      return true;
    },
    read: (reader) => reader.byte() === 1,
  },
  date: {
    type: 'TIMESTAMP',
    write(writer, value) {
      const ms = value instanceof Date ? value.getTime() : value;
      if (!isWhole(ms)) return false;
      writer.zigzag(ms);
      return true;
    },
    read: (reader) => BigInt(reader.zigzag()),
    Numbers: BigInt64Array,
  },
};

/** Short texts that come again are one text: columns of names hold few of them. */
class Texts {
  private readonly known = new Map<string, string>();

  one(text: string): string {
    if (text.length > TEXT_LENGTH_MAX) return text;
    const found = this.known.get(text);
    if (found !== undefined) return found;
    if (this.known.size >= TEXTS_MAX) this.known.clear();
    this.known.set(text, text);
    return text;
  }
}

const TEXTS_MAX = 4_096;
const TEXT_LENGTH_MAX = 64;

interface Column {
  readonly name: string;
  readonly declared: string;
  readonly nullable: boolean;
  readonly kind: Kind;
}

const columnsOf = (columns: Columns): Column[] =>
  Object.entries(columns).map(([name, type]) => {
    const declared = String(type);
    return { name, declared, nullable: declared.endsWith('?'), kind: kinds[declared.replace('?', '')] as Kind };
  });

const LENGTH_BYTES = 4;

/**
 * Packs values into rows of columns.
 *
 * @throws MillraceError `schema`, from what it returns, for a value that a column has no room for.
 */
export function rowPacker(declared: Columns): (value: unknown) => Uint8Array {
  const columns = columnsOf(declared);
  const writer = new ByteWriter();
  const put = ({ name, nullable, kind, declared: type }: Column, value: unknown): void => {
    if (nullable) {
      const isMissing = value === null || value === undefined;
      writer.byte(isMissing ? 0 : 1);
      if (isMissing) return;
    }
    if (!kind.write(writer, value)) throw misfit(name, value, type);
  };
  return (value) => {
    const row = (value ?? {}) as Readonly<Record<string, unknown>>;
    writer.begin();
    writer.fixed32(0); // its length, once that is known
    try {
      for (const column of columns) put(column, row[column.name]);
    } catch (error) {
      writer.abandon();
      throw error;
    }
    const bytes = writer.finish();
    bytes.writeUInt32LE(bytes.length - LENGTH_BYTES, 0);
    return bytes;
  };
}

/** A longer row is none: it is read in no part that was written here. */
const ROW_BYTES_MAX = 2 ** 28;

/** The values of a column, in the order of rows. */
interface Values {
  add(row: number, value: unknown): void;
  /** Those of so many rows; good until the next row is added. */
  take(rows: number): unknown[] | Float64Array | BigInt64Array;
}

function valuesOf({ nullable, kind: { Numbers } }: Column): Values {
  if (!nullable && Numbers !== undefined) return numbers(Numbers);
  let values: unknown[] = [];
  return {
    add: (_, value) => void values.push(value),
    take() {
      const taken = values;
      values = [];
      return taken;
    },
  };
}

function numbers(Numbers: typeof Float64Array | typeof BigInt64Array): Values {
  let values = new Numbers(1_024);
  return {
    add(row, value) {
      if (row === values.length) {
        const larger = new Numbers(2 * row);
        larger.set(values as never);
        values = larger;
      }
      values[row] = value as never;
    },
    take: (rows) => values.subarray(0, rows),
  };
}

/** Unpacks rows, whatever pieces they come in, into one array a column. Memory: the rows until `take`, and a piece. */
export class RowUnpacker {
  rows = 0;
  private readonly columns: readonly Column[];
  private readonly values: readonly Values[];
  private readonly texts = new Texts();
  private bytes: Buffer = Buffer.alloc(0);
  private at = 0;
  private readonly reader = new ByteReader();

  constructor(declared: Columns) {
    this.columns = columnsOf(declared);
    this.values = this.columns.map(valuesOf);
  }

  push(piece: Uint8Array): void {
    this.bytes = Buffer.concat([this.bytes.subarray(this.at), piece]);
    this.at = 0;
  }

  /** Reads the next row; `false` where it has not come as a whole. */
  next(): boolean {
    const { bytes, at, reader, columns, values, texts, rows } = this;
    if (bytes.length - at < LENGTH_BYTES) return false;
    const start = at + LENGTH_BYTES;
    const size = bytes.readUInt32LE(at);
    if (size > ROW_BYTES_MAX) throw damaged(`a row of ${size} bytes`);
    if (bytes.length - start < size) return false;
    reader.open(bytes, start, start + size);
    for (let i = 0; i < columns.length; i++) {
      const { nullable, kind } = columns[i] as Column;
      (values[i] as Values).add(rows, nullable && reader.byte() === 0 ? null : kind.read(reader, texts));
    }
    reader.close();
    this.at = start + size;
    this.rows = rows + 1;
    return true;
  }

  /** What was read so far, as Parquet's writer wants it; good until the next row is read. */
  take() {
    const { columns, values, rows } = this;
    this.rows = 0;
    return columns.map(({ name, nullable, kind: { type } }, i) => ({
      name,
      type,
      nullable,
      data: (values[i] as Values).take(rows),
    }));
  }

  /** Nothing follows. */
  end(): void {
    if (this.at < this.bytes.length) throw damaged('it ends within a row');
  }
}

const misfit = (column: string, value: unknown, type: string): MillraceError =>
  new MillraceError('schema', `column ${column}: a ${typeof value} is no ${type}`, {
    where: column,
    hint: 'emit rows with a value of the right type for every column',
    lasting: true,
  });

const damaged = (problem: string): MillraceError =>
  new MillraceError('state', `a part of a Parquet file is damaged: ${problem}`, {
    hint: 'its disk is failing, or another version wrote it: begin anew from a savepoint before',
    lasting: true,
  });
