import type { BasicType } from 'hyparquet-writer';
import type { ByteReader } from '../../../src/schema/bytes/byte-reader.js';
import type { ByteWriter } from '../../../src/schema/bytes/byte-writer.js';

/** The type of a column: how its cells are packed, and what they become for Parquet's writer. */
export interface Kind {
  /** The Parquet type. */
  readonly type: BasicType;
  /** Writes a value; returns false, and writes nothing, if the value is not of this type. */
  write(writer: ByteWriter, value: unknown): boolean;
  /** Returns a function that reads the cells of a column, one after another. */
  reader(): (reader: ByteReader) => unknown;
  /** For a column without missing cells: numbers in a typed array, which needs no garbage collection. */
  readonly numbers?: () => Cells;
}

/** The cells of a column that were read, in the order of rows. */
export interface Cells {
  read(reader: ByteReader, row: number): void;
  /** The first cells; valid until the next one is read. */
  take(rows: number): unknown[] | Float64Array | BigInt64Array;
}

const isWhole = (value: unknown): value is number => Number.isSafeInteger(value);

const whole = {
  write(writer: ByteWriter, value: unknown): boolean {
    if (!isWhole(value)) return false;
    writer.zigzag(value);
    return true;
  },
  reader: () => (reader: ByteReader) => BigInt(reader.zigzag()),
  numbers: wholeNumbers,
};

export const kinds: Readonly<Record<string, Kind>> = {
  text: {
    type: 'STRING',
    write(writer, value) {
      if (typeof value !== 'string' || !value.isWellFormed()) return false;
      writer.text(value, 0);
      return true;
    },
    reader: textReader,
  },
  number: {
    type: 'DOUBLE',
    write(writer, value) {
      if (typeof value !== 'number' || !Number.isFinite(value)) return false;
      writer.double(value);
      return true;
    },
    reader: () => (reader) => reader.double(),
    numbers: doubles,
  },
  integer: { type: 'INT64', ...whole },
  date: {
    type: 'TIMESTAMP',
    ...whole,
    write: (writer, value) => whole.write(writer, value instanceof Date ? value.getTime() : value),
  },
  bigint: {
    type: 'INT64',
    write(writer, value) {
      if (typeof value !== 'bigint' || BigInt.asIntN(64, value) !== value) return false;
      writer.zigzag64(value);
      return true;
    },
    reader: () => (reader) => reader.zigzag64(),
  },
  boolean: {
    type: 'BOOLEAN',
    write(writer, value) {
      if (typeof value !== 'boolean') return false;
      writer.byte(value ? 1 : 0);
      return true;
    },
    reader: () => (reader) => reader.byte() === 1,
  },
};

/** Reads the cells of a column. In a nullable column a byte before each cell says whether there is one. */
export function cellsOf({ reader, numbers }: Kind, nullable: boolean): Cells {
  if (!nullable && numbers !== undefined) return numbers();
  const read = reader();
  let values: unknown[] = [];
  return {
    read(from) {
      values.push(nullable && from.byte() === 0 ? null : read(from));
    },
    take() {
      const taken = values;
      values = [];
      return taken;
    },
  };
}

/** The initial number of rows. */
const ROOM = 1_024;

/** A copy of twice the size. */
function withRoom<A extends Float64Array<ArrayBuffer> | BigInt64Array<ArrayBuffer>>(values: A): A {
  const bytes = new Uint8Array(2 * values.byteLength);
  bytes.set(new Uint8Array(values.buffer));
  return new (values.constructor as new (buffer: ArrayBuffer) => A)(bytes.buffer);
}

function doubles(): Cells {
  let values = new Float64Array(ROOM);
  return {
    read(reader, row) {
      if (row === values.length) values = withRoom(values);
      values[row] = reader.double();
    },
    take: (rows) => values.subarray(0, rows),
  };
}

const TWO_32 = 2 ** 32;

/** Written as two halves, since a bigint for each would need garbage collection. */
function wholeNumbers(): Cells {
  let values = new BigInt64Array(ROOM);
  let halves = new Uint32Array(values.buffer);
  return {
    read(reader, row) {
      if (row === values.length) {
        values = withRoom(values);
        halves = new Uint32Array(values.buffer);
      }
      const value = reader.zigzag();
      halves[2 * row] = value; // both modulo 2^32, the lower half first: Node runs on little-endian machines
      halves[2 * row + 1] = Math.floor(value / TWO_32);
    },
    take: (rows) => values.subarray(0, rows),
  };
}

/** A column with more distinct texts is not treated as enumerated. */
const NAMES_MAX = 4_096;

/** The texts of a column; if there are few distinct ones, each is created once. */
function textReader(): (reader: ByteReader) => string {
  let names: Map<string, string> | undefined = new Map();
  return (reader) => {
    const text = reader.text(reader.unsigned());
    if (names === undefined) return text;
    const known = names.get(text);
    if (known !== undefined) return known;
    names.set(text, text);
    if (names.size > NAMES_MAX) names = undefined;
    return text;
  };
}
