import type { BasicType } from 'hyparquet-writer';
import { MillraceError } from '../../src/core/errors.js';
import { ByteReader } from '../../src/schema/bytes/byte-reader.js';
import { ByteWriter } from '../../src/schema/bytes/byte-writer.js';
import { generate } from '../../src/schema/bytes/shapes.js';
import {
  Bigints,
  Booleans,
  type Collected,
  type Collector,
  doubleBytes,
  integerBytes,
  Numbers,
  Texts,
} from './column-values.js';

// Rows that are to become Parquet lie packed in their part: Parquet holds columns, so a file of it cannot grow row by row.
// A row is its length (four bytes, little-endian), then cell after cell; one that may be missing has a byte in front that says so.

/** Names of columns and what they hold, as `csv()` has it. */
export type Columns = Readonly<Record<string, string | undefined>>;

interface Kind {
  /** Of Parquet. */
  readonly type: BasicType;
  fits(value: unknown): boolean;
  write(writer: ByteWriter, value: never): void;
  collector(): Collector;
}

const millisOf = (date: Date | number): number => (typeof date === 'number' ? date : date.getTime());

const integers = () => new Numbers((reader) => reader.zigzag(), integerBytes, BigInt);

const kinds: Readonly<Record<string, Kind>> = {
  text: {
    type: 'STRING',
    fits: (value) => typeof value === 'string',
    write: (writer, value: string) => writer.text(value, 0),
    collector: () => new Texts(),
  },
  number: {
    type: 'DOUBLE',
    fits: (value) => typeof value === 'number' && Number.isFinite(value),
    write: (writer, value: number) => writer.double(value),
    collector: () =>
      new Numbers(
        (reader) => reader.double(),
        doubleBytes,
        (value) => value,
      ),
  },
  integer: {
    type: 'INT64',
    fits: (value) => Number.isSafeInteger(value),
    write: (writer, value: number) => writer.zigzag(value),
    collector: integers,
  },
  bigint: {
    type: 'INT64',
    fits: (value) => typeof value === 'bigint' && BigInt.asIntN(64, value) === value,
    write: (writer, value: bigint) => writer.zigzag64(value),
    collector: () => new Bigints(),
  },
  boolean: {
    type: 'BOOLEAN',
    fits: (value) => typeof value === 'boolean',
    write: (writer, value: boolean) => writer.byte(value ? 1 : 0),
    collector: () => new Booleans(),
  },
  date: {
    type: 'TIMESTAMP',
    fits: (value) => (value instanceof Date && !Number.isNaN(value.getTime())) || Number.isSafeInteger(value),
    write: (writer, value: Date | number) => writer.zigzag(millisOf(value)),
    collector: integers,
  },
};

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
 * Packs values into rows of columns, by code that is made for these columns.
 *
 * @throws MillraceError `schema`, from what it returns, for a value that a column has no room for.
 */
export function rowPacker(declared: Columns): (value: unknown) => Uint8Array {
  const columns = columnsOf(declared);
  const writer = new ByteWriter();
  const refuse = (column: number, value: unknown): never => {
    const { name, declared: type } = columns[column] as Column;
    throw misfit(name, value, type);
  };
  const cells = columns.map(({ name, nullable }, i) => {
    const put = `if (!k${i}.fits(value)) refuse(${i}, value); k${i}.write(writer, value);`;
    const cell = nullable
      ? `if (value === null || value === undefined) writer.byte(0); else { writer.byte(1); ${put} }`
      : put;
    return `{ const value = row[${JSON.stringify(name)}]; ${cell} }`;
  });
  const parts = Object.fromEntries(columns.map(({ kind }, i) => [`k${i}`, kind]));
  const put = generate<(row: object) => void>({ writer, refuse, ...parts }, `(row) => { ${cells.join('\n')} }`);
  return (value) => {
    writer.begin();
    writer.fixed32(0); // its length, once that is known
    try {
      put(value ?? {});
    } catch (error) {
      writer.abandon();
      throw error;
    }
    const bytes = writer.finish();
    const size = bytes.length - LENGTH_BYTES;
    bytes[0] = size;
    bytes[1] = size >>> 8;
    bytes[2] = size >>> 16;
    bytes[3] = size >>> 24;
    return bytes;
  };
}

/** A longer row is none: it is read in no part that was written here. */
const ROW_BYTES_MAX = 2 ** 28;

/** A column of a row group. */
export interface PackedColumn extends Collected {
  readonly name: string;
  readonly type: BasicType;
  readonly nullable: boolean;
  /** Of a column whose values may be missing: 1 for each row that has one. */
  readonly isPresent: Uint8Array | undefined;
}

/** Unpacks rows, whatever pieces they come in, column by column. Memory: the rows until `take`, and a piece. */
export class RowUnpacker {
  rows = 0;
  private readonly columns: readonly Column[];
  private readonly collectors: readonly Collector[];
  private readonly present: (Uint8Array | undefined)[];
  private bytes: Buffer = Buffer.alloc(0);
  private at = 0;
  private readonly reader = new ByteReader();

  /** `rowsMax`: as many are taken at a time, at most. */
  constructor(
    declared: Columns,
    private readonly rowsMax: number,
  ) {
    this.columns = columnsOf(declared);
    this.collectors = this.columns.map(({ kind }) => kind.collector());
    this.present = this.columns.map(({ nullable }) => (nullable ? new Uint8Array(rowsMax) : undefined));
  }

  push(piece: Uint8Array): void {
    this.bytes = Buffer.concat([this.bytes.subarray(this.at), piece]);
    this.at = 0;
    this.reader.open(this.bytes, 0);
  }

  /** Reads the next row; `false` where it has not come as a whole. */
  next(): boolean {
    const { bytes, at, reader, collectors, present, rows } = this;
    if (bytes.length - at < LENGTH_BYTES || rows === this.rowsMax) return false;
    const start = at + LENGTH_BYTES;
    const size = bytes.readUInt32LE(at);
    if (size > ROW_BYTES_MAX) throw damaged(`a row of ${size} bytes`);
    if (bytes.length - start < size) return false;
    reader.at = start;
    reader.end = start + size;
    for (let i = 0; i < collectors.length; i++) {
      const flags = present[i];
      if (flags === undefined) (collectors[i] as Collector).read(reader);
      else {
        const flag = reader.byte() === 0 ? 0 : 1;
        flags[rows] = flag;
        if (flag === 1) (collectors[i] as Collector).read(reader);
      }
    }
    reader.close();
    this.at = start + size;
    this.rows = rows + 1;
    return true;
  }

  /** What was read so far. */
  take(): PackedColumn[] {
    const { rows, present, collectors } = this;
    this.rows = 0;
    return this.columns.map(({ name, nullable, kind: { type } }, i) => ({
      name,
      type,
      nullable,
      isPresent: present[i]?.slice(0, rows),
      ...(collectors[i] as Collector).take(),
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
