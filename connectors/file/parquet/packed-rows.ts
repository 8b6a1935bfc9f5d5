import { MillraceError } from '../../../src/core/errors.js';
import { ByteReader } from '../../../src/schema/bytes/byte-reader.js';
import { ByteWriter } from '../../../src/schema/bytes/byte-writer.js';
import { type Cells, cellsOf, type Kind, kinds } from './packed-cells.js';

// Rows for Parquet are packed in their part, because a Parquet file stores columns and cannot grow row by row. A packed row is its
// length (four bytes, little-endian), then cell after cell. A nullable cell begins with a byte that says whether there is a value.

/** Column names and types, as for `csv()`. */
export type Columns = Readonly<Record<string, string | undefined>>;

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
 * @throws MillraceError `schema`, from the returned function, for a value that a column cannot store.
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
    if (!kind.write(writer, value)) throw unrepresentable(name, value, type);
  };
  return (value) => {
    const row = (value ?? {}) as Readonly<Record<string, unknown>>;
    writer.begin();
    writer.fixed32(0); // the length, set when it is known
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

/** A longer row cannot be one, and the part is damaged. */
const ROW_BYTES_MAX = 2 ** 28;

/** Unpacks rows, whatever the pieces, into one array per column. Memory: the rows until `take`, and a piece. */
export class RowUnpacker {
  rows = 0;
  private readonly columns: readonly Column[];
  private readonly cells: readonly Cells[];
  private bytes: Buffer = Buffer.alloc(0);
  private at = 0;
  private readonly reader = new ByteReader();

  constructor(declared: Columns) {
    this.columns = columnsOf(declared);
    this.cells = this.columns.map(({ kind, nullable }) => cellsOf(kind, nullable));
  }

  push(piece: Uint8Array): void {
    this.bytes = Buffer.concat([this.bytes.subarray(this.at), piece]);
    this.at = 0;
  }

  /** Reads the next row; `false` if it is not complete yet. */
  next(): boolean {
    const { bytes, at, reader, cells, rows } = this;
    if (bytes.length - at < LENGTH_BYTES) return false;
    const start = at + LENGTH_BYTES;
    const size = bytes.readUInt32LE(at);
    if (size > ROW_BYTES_MAX) throw damaged(`a row of ${size} bytes`);
    if (bytes.length - start < size) return false;
    reader.open(bytes, start, start + size);
    for (let i = 0; i < cells.length; i++) (cells[i] as Cells).read(reader, rows);
    reader.close();
    this.at = start + size;
    this.rows = rows + 1;
    return true;
  }

  /** The columns read so far, in the form of Parquet's writer; valid until the next row is read. */
  take() {
    const { columns, cells, rows } = this;
    this.rows = 0;
    return columns.map(({ name, nullable, kind: { type } }, i) => ({
      name,
      type,
      nullable,
      data: (cells[i] as Cells).take(rows),
    }));
  }

  /** No rows follow. */
  end(): void {
    if (this.at < this.bytes.length) throw damaged('it ends within a row');
  }
}

const unrepresentable = (column: string, value: unknown, type: string): MillraceError =>
  new MillraceError('schema', `column ${column}: a ${typeof value} is no ${type}`, {
    where: column,
    hint: 'emit rows with a value of the right type for every column',
    permanent: true,
  });

const damaged = (problem: string): MillraceError =>
  new MillraceError('state', `a part of a Parquet file is damaged: ${problem}`, {
    hint: 'its disk is failing, or another version wrote it: restore an earlier savepoint',
    permanent: true,
  });
