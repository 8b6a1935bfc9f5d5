import type { ColumnChunk, RowGroup, SchemaElement } from 'hyparquet';
import { ByteWriter, schemaFromColumnData } from 'hyparquet-writer';
import { writePageHeader } from 'hyparquet-writer/src/datapage.js';
import { writeMetadata } from 'hyparquet-writer/src/metadata.js';
import { compressSync } from 'snappy';
import { bitsOf, widthOf } from './column-values.js';
import type { PackedColumn } from './packed-rows.js';

const MAGIC = 0x31524150; // PAR1

/**
 * The bytes of a Parquet file, a row group at a time: pages of the second version, compressed by Snappy, with a dictionary where it
 * pays and the bounds of each column. The footer is the library's. The same columns give the same bytes.
 *
 * Memory: the bytes of a row group, and what the footer says of those before.
 */
export class ParquetBytes {
  private readonly writer = new ByteWriter();
  private readonly groups: RowGroup[] = [];
  private readonly schema: SchemaElement[];
  private rows = 0;

  constructor(columns: readonly Pick<PackedColumn, 'name' | 'type' | 'nullable'>[]) {
    const columnData = columns.map(({ name, type, nullable }) => ({ name, type, nullable, data: [] }));
    this.schema = schemaFromColumnData({ columnData });
    this.writer.appendUint32(MAGIC);
  }

  group(columns: readonly PackedColumn[], rows: number): Uint8Array<ArrayBuffer> {
    const start = this.writer.offset;
    const chunks = columns.map((column, i) => this.chunk(column, rows, this.schema[i + 1] as SchemaElement));
    this.groups.push({
      columns: chunks,
      total_byte_size: chunks.reduce((sum, { meta_data }) => sum + (meta_data?.total_uncompressed_size ?? 0n), 0n),
      num_rows: BigInt(rows),
      total_compressed_size: BigInt(this.writer.offset - start),
    });
    this.rows += rows;
    return this.written();
  }

  finish(): Uint8Array<ArrayBuffer> {
    const { schema, groups, rows } = this;
    const metadata = { version: 2, created_by: 'millrace', schema, num_rows: BigInt(rows), row_groups: groups };
    writeMetadata(this.writer, metadata as never); // how long it is, it finds out
    this.writer.appendUint32(MAGIC);
    return this.written();
  }

  private written(): Uint8Array<ArrayBuffer> {
    const bytes = this.writer.getBytes().slice();
    this.writer.index = 0; // its buffer is used again; `offset` goes on
    return bytes;
  }

  private chunk(column: PackedColumn, rows: number, { type }: SchemaElement): ColumnChunk {
    const { writer } = this;
    const { name, present, isPresent, dictionary, pages, min, max } = column;
    const start = writer.offset;
    let size = dictionary === undefined ? 0 : this.dictionaryPage(dictionary);
    const dataStart = writer.offset;
    const encoding = dictionary === undefined ? 'PLAIN' : 'RLE_DICTIONARY';
    const bodies = dictionary === undefined ? pages : [{ count: present, bytes: placesOf(dictionary) }];
    let row = 0;
    for (const [i, { count, bytes }] of bodies.entries()) {
      const end = i === bodies.length - 1 ? rows : rowAfter(isPresent, row, count);
      size += this.dataPage(isPresent?.subarray(row, end), end - row, count, encoding, bytes);
      row = end;
    }
    // A column without a single value has a page too.
    if (bodies.length === 0) size += this.dataPage(isPresent, rows, 0, encoding, new Uint8Array(0));
    return {
      file_offset: BigInt(start),
      meta_data: {
        type: type as NonNullable<typeof type>,
        encodings: dictionary === undefined ? [encoding] : ['PLAIN', encoding],
        path_in_schema: [name],
        codec: 'SNAPPY',
        num_values: BigInt(rows),
        total_uncompressed_size: BigInt(size),
        total_compressed_size: BigInt(writer.offset - start),
        data_page_offset: BigInt(dataStart),
        ...(dictionary === undefined ? {} : { dictionary_page_offset: BigInt(start) }),
        statistics: {
          // Readers take bounds of zero for those of both zeros.
          min_value: (min === 0 ? -0 : min) as never,
          max_value: (max === 0 ? 0 : max) as never,
          null_count: BigInt(rows - present),
        },
      },
    };
  }

  private dictionaryPage({ count, bytes }: NonNullable<PackedColumn['dictionary']>): number {
    const { writer } = this;
    const packed = compress(bytes);
    const start = writer.offset;
    writePageHeader(writer, {
      type: 'DICTIONARY_PAGE',
      uncompressed_page_size: bytes.length,
      compressed_page_size: packed.length,
      dictionary_page_header: { num_values: count, encoding: 'PLAIN' },
    });
    const headerSize = writer.offset - start;
    writer.appendBytes(packed);
    return headerSize + bytes.length;
  }

  private dataPage(
    isPresent: Uint8Array | undefined,
    rows: number,
    present: number,
    encoding: 'PLAIN' | 'RLE_DICTIONARY',
    bytes: Uint8Array,
  ): number {
    const { writer } = this;
    const levels = isPresent === undefined ? new Uint8Array(0) : levelsOf(isPresent, present);
    const packed = bytes.length === 0 ? bytes : compress(bytes);
    const start = writer.offset;
    writePageHeader(writer, {
      type: 'DATA_PAGE_V2',
      uncompressed_page_size: levels.length + bytes.length,
      compressed_page_size: levels.length + packed.length,
      data_page_header_v2: {
        num_values: rows,
        num_nulls: rows - present,
        num_rows: rows,
        encoding,
        definition_levels_byte_length: levels.length,
        repetition_levels_byte_length: 0,
        is_compressed: bytes.length > 0,
      },
    });
    const headerSize = writer.offset - start;
    writer.appendBytes(levels);
    writer.appendBytes(packed);
    return headerSize + levels.length + bytes.length;
  }
}

const compress = (bytes: Uint8Array): Uint8Array =>
  compressSync(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length));

/** The row behind so many values, from a row on. */
function rowAfter(isPresent: Uint8Array | undefined, from: number, count: number): number {
  if (isPresent === undefined) return from + count;
  let row = from;
  for (let left = count; left > 0; row++) left -= isPresent[row] as number;
  return row;
}

/** 1 where a value is there: as one run where all are, otherwise a bit for each. */
const levelsOf = (isPresent: Uint8Array, present: number): Uint8Array =>
  present === isPresent.length
    ? Uint8Array.from([...varint(2 * present), 1])
    : joined(varint(2 * Math.ceil(isPresent.length / 8) + 1), bitsOf(isPresent));

/** Places in a dictionary behind their width: as one run where there is but one, otherwise packed. */
function placesOf({ count, places }: NonNullable<PackedColumn['dictionary']>): Uint8Array {
  const width = widthOf(count);
  if (count === 1) return Uint8Array.from([width, ...varint(2 * places.length), 0]);
  const groups = Math.ceil(places.length / 8);
  const packed = new Uint8Array(groups * width);
  let at = 0;
  let held = 0;
  let bits = 0;
  for (const place of places) {
    held |= place << bits;
    bits += width;
    while (bits >= 8) {
      packed[at++] = held;
      held >>>= 8;
      bits -= 8;
    }
  }
  if (bits > 0) packed[at] = held;
  return joined([width, ...varint(2 * groups + 1)], packed);
}

function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80);
  return [...bytes, rest];
}

function joined(head: readonly number[], tail: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(head.length + tail.length);
  bytes.set(head);
  bytes.set(tail, head.length);
  return bytes;
}
