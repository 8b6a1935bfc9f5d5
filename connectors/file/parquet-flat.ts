import type { ColumnMetaData, SchemaElement } from 'hyparquet';
import { damaged, readHybrid } from './parquet-hybrid.js';
import { type DataPage, pagesOf, viewOf } from './parquet-page.js';
import type { Cells } from './parquet-protocol.js';
import { dateText } from './parquet-values.js';

// Most columns are of plain numbers and texts, and most pages hold them as they are or by places in a dictionary. Those are read
// here, right into what goes to the reader. Whatever else there is is left to the library.

/** Milliseconds on both sides of 1970 that a `Date` has. */
const TIME_MAX_MS = 8.64e15;

/** The values of a page or dictionary, by place. */
type Table = Float64Array | readonly string[];

type Reading = 'numbers' | 'booleans' | 'times' | 'texts';

/** How values of a kind are read from bytes, `count` of them; `undefined` where one has no form here. */
interface Plain {
  readonly reading: Reading;
  values(bytes: Uint8Array, count: number): Table | undefined;
}

/** The cells of a column that has nothing nested; `undefined` where something is in it that is not read here. */
export function flatCells(
  chunk: Uint8Array,
  metadata: Pick<ColumnMetaData, 'codec' | 'num_values' | 'type'>,
  element: SchemaElement,
  rows: number,
): Cells | undefined {
  const plain = plainOf(element);
  if (plain === undefined) return undefined;
  const isOptional = element.repetition_type !== 'REQUIRED';
  const cells = new CellsOf(plain.reading, rows);
  let dictionary: Table | undefined;
  let base = 0;
  for (const page of pagesOf(chunk, metadata, { repetition: 0, definition: isOptional ? 1 : 0 })) {
    if (page.kind === 'dictionary') {
      dictionary = plain.values(page.bytes, page.count);
      if (dictionary === undefined) return undefined;
      base = cells.table(dictionary);
      continue;
    }
    if (page.encoding === 'PLAIN') {
      const values = plain.values(page.bytes, page.present);
      if (values === undefined) return undefined;
      cells.add(page, values, undefined, cells.table(values));
    } else if (/^(PLAIN|RLE)_DICTIONARY$/.test(page.encoding)) {
      if (dictionary === undefined) throw damaged('it has no dictionary');
      cells.add(page, dictionary, placesIn(page, dictionary.length), base);
    } else return undefined;
  }
  return cells.all();
}

function placesIn({ bytes, present }: DataPage, size: number): Int32Array {
  const places = new Int32Array(present);
  if (present === 0) return places;
  const [width] = bytes;
  if (width === undefined) throw damaged('it ends early');
  readHybrid(bytes, 1, bytes.length, width, places, present);
  for (const place of places) if (place >= size) throw damaged(`place ${place} of a dictionary of ${size}`);
  return places;
}

/** Cells as they come, page by page. */
class CellsOf {
  private readonly numbers: Float64Array<ArrayBuffer>;
  private readonly places: Int32Array<ArrayBuffer>;
  private texts: string[] = [];
  private row = 0;

  constructor(
    private readonly reading: Reading,
    private readonly rows: number,
  ) {
    const isText = reading === 'texts';
    this.numbers = new Float64Array(isText ? 0 : rows);
    this.places = new Int32Array(isText ? rows : 0);
  }

  /** Takes texts in, and says where they begin. */
  table(values: Table): number {
    const base = this.texts.length;
    if (values instanceof Float64Array) return base;
    if (base === 0) this.texts = values as string[];
    else for (const value of values) this.texts.push(value);
    return base;
  }

  /** Takes the values of a page, one after another or by their places in a dictionary. */
  add({ count, definition }: DataPage, values: Table, places: Int32Array | undefined, base: number): void {
    const { row, rows } = this;
    if (row + count > rows) throw damaged(`more than ${rows} rows`);
    let next = 0;
    if (values instanceof Float64Array) {
      const out = this.numbers;
      for (let i = 0; i < count; i++) {
        if (definition !== undefined && definition[i] === 0) out[row + i] = Number.NaN;
        else {
          out[row + i] = values[places === undefined ? next : (places[next] as number)] as number;
          next += 1;
        }
      }
    } else {
      const out = this.places;
      for (let i = 0; i < count; i++) {
        if (definition !== undefined && definition[i] === 0) out[row + i] = -1;
        else {
          out[row + i] = base + (places === undefined ? next : (places[next] as number));
          next += 1;
        }
      }
    }
    this.row += count;
  }

  all(): Cells {
    const { reading, numbers, places, texts, row, rows } = this;
    if (row !== rows) throw damaged(`a column of ${row} values where the row group has ${rows}`);
    switch (reading) {
      case 'texts':
        return { kind: 'texts', places, texts };
      case 'booleans':
        return { kind: 'booleans', values: Uint8Array.from(numbers, (value) => (Number.isNaN(value) ? 2 : value)) };
      default:
        return { kind: reading, values: numbers };
    }
  }
}

/** How values of a column are read; `undefined` for those that the library is left with. */
function plainOf(element: SchemaElement): Plain | undefined {
  const { type, converted_type, logical_type } = element;
  const logical = logical_type?.type;
  switch (type) {
    case 'BOOLEAN':
      return { reading: 'booleans', values: booleans };
    case 'DOUBLE':
      return { reading: 'numbers', values: doubles };
    case 'FLOAT':
      return { reading: 'numbers', values: floats };
    case 'INT32':
      if (converted_type === 'DATE') return { reading: 'texts', values: dates };
      if (converted_type === undefined || /^INT_(8|16|32)$|^UINT_(8|16)$|^TIME_/.test(converted_type)) {
        const isUnsigned = logical_type?.type === 'INTEGER' && !logical_type.isSigned && logical_type.bitWidth === 32;
        return (logical === undefined || logical === 'INTEGER' || logical === 'TIME') && !isUnsigned
          ? { reading: 'numbers', values: integers }
          : undefined;
      }
      return undefined;
    case 'INT64': {
      const unit = unitOf(element);
      if (unit !== undefined) return { reading: 'times', values: (bytes, count) => times(bytes, count, unit) };
      const isPlain = converted_type === undefined || converted_type === 'INT_64' || converted_type === 'TIME_MICROS';
      const isLogical = logical !== undefined && logical !== 'INTEGER' && logical !== 'TIME';
      const isUnsigned = logical_type?.type === 'INTEGER' && !logical_type.isSigned;
      return isPlain && !isLogical && !isUnsigned ? { reading: 'numbers', values: longs } : undefined;
    }
    case 'BYTE_ARRAY':
      return (converted_type === 'UTF8' && (logical === undefined || logical === 'STRING')) ||
        (converted_type === undefined && logical === 'STRING')
        ? { reading: 'texts', values: texts }
        : undefined;
    default:
      return undefined;
  }
}

/** Ticks of a millisecond. */
function unitOf({ converted_type, logical_type }: SchemaElement): number | undefined {
  if (converted_type === 'TIMESTAMP_MILLIS') return 1;
  if (converted_type === 'TIMESTAMP_MICROS') return 1_000;
  if (converted_type !== undefined || logical_type?.type !== 'TIMESTAMP') return undefined;
  return { MILLIS: 1, MICROS: 1_000, NANOS: undefined }[logical_type.unit];
}

const room = (bytes: Uint8Array, size: number): void => {
  if (bytes.length < size) throw damaged(`${bytes.length} bytes of values that take ${size}`);
};

function booleans(bytes: Uint8Array, count: number): Float64Array {
  room(bytes, Math.ceil(count / 8));
  return Float64Array.from({ length: count }, (_, i) => ((bytes[i >> 3] as number) >> (i & 7)) & 1);
}

/** The bytes of so many values at an address that arrays of them can begin at. */
const aligned = (bytes: Uint8Array, size: number): ArrayBuffer => {
  room(bytes, size);
  return bytes.slice(0, size).buffer as ArrayBuffer;
};

const doubles = (bytes: Uint8Array, count: number) => new Float64Array(aligned(bytes, 8 * count), 0, count);
const floats = (bytes: Uint8Array, count: number) =>
  Float64Array.from(new Float32Array(aligned(bytes, 4 * count), 0, count));
const integers = (bytes: Uint8Array, count: number) =>
  Float64Array.from(new Int32Array(aligned(bytes, 4 * count), 0, count));

/** Of 64 bits, as far as numbers hold them exactly. */
function longs(bytes: Uint8Array, count: number): Float64Array | undefined {
  const buffer = aligned(bytes, 8 * count);
  const low = new Uint32Array(buffer);
  const high = new Int32Array(buffer);
  const values = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    const top = high[2 * i + 1] as number;
    const value = top * 2 ** 32 + (low[2 * i] as number);
    if (!Number.isSafeInteger(value)) return undefined;
    values[i] = value;
  }
  return values;
}

function times(bytes: Uint8Array, count: number, perMs: number): Float64Array | undefined {
  const values = longs(bytes, count);
  if (values === undefined) return undefined;
  for (let i = 0; i < count; i++) {
    const ms = (values[i] as number) / perMs;
    // With digits below a millisecond they are texts of the library's making, and what no date holds is its business.
    if (!Number.isInteger(ms) || Math.abs(ms) > TIME_MAX_MS) return undefined;
    values[i] = ms;
  }
  return values;
}

function dates(bytes: Uint8Array, count: number): string[] {
  const known = new Map<number, string>();
  return Array.from(integers(bytes, count), (days) => {
    const found = known.get(days);
    if (found !== undefined) return found;
    const text = dateText(days);
    known.set(days, text);
    return text;
  });
}

function texts(bytes: Uint8Array, count: number): string[] {
  const view = viewOf(bytes);
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const values = new Array<string>(Math.min(count, bytes.length >> 2));
  let at = 0;
  for (let i = 0; i < count; i++) {
    room(bytes, at + 4);
    const end = at + 4 + view.getUint32(at, true);
    room(bytes, end);
    values[i] = buffer.toString('utf8', at + 4, end);
    at = end;
  }
  return values;
}
