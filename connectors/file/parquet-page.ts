import { gunzipSync } from 'node:zlib';
import { decompress as unzstd } from 'fzstd';
import type { ColumnMetaData, DataReader, PageHeader } from 'hyparquet';
import { parquetHeader } from 'hyparquet/src/column.js';
import { uncompressSync } from 'snappy';
import { damaged, readHybrid } from './parquet-hybrid.js';

/** Values of a column in a row group: no page, and no column, says that it has more of them. */
export const VALUES_MAX = 2 ** 26;
/** Bytes of a page once it is decompressed. */
const PAGE_BYTES_MAX = 2 ** 29;

/** The highest levels that a column has; it is plain where both are 0. */
export interface Levels {
  readonly repetition: number;
  readonly definition: number;
}

export interface DictionaryPage {
  readonly kind: 'dictionary';
  readonly count: number;
  readonly bytes: Uint8Array;
}

export interface DataPage {
  readonly kind: 'data';
  /** Levels, which is values and what is missing of them. */
  readonly count: number;
  readonly repetition: Int32Array | undefined;
  readonly definition: Int32Array | undefined;
  /** Values that are there: those whose definition is the highest. */
  readonly present: number;
  readonly encoding: string;
  /** Of the values. */
  readonly bytes: Uint8Array;
}

/**
 * The pages of a column in a row group: decompressed, with their levels read, and each length compared with what is there. What
 * a page says of itself makes nothing large: it has as many values as the footer says at most, and its bytes as many as it says.
 */
export function* pagesOf(
  chunk: Uint8Array,
  { codec, num_values }: Pick<ColumnMetaData, 'codec' | 'num_values'>,
  levels: Levels,
): Generator<DictionaryPage | DataPage> {
  const reader: DataReader = { view: new DataView(chunk.buffer, chunk.byteOffset, chunk.byteLength), offset: 0 };
  const all = Number(num_values);
  if (!(all >= 0 && all <= VALUES_MAX)) throw damaged(`a column of ${all} values`);
  for (let seen = 0; seen < all; ) {
    const header = parquetHeader(reader);
    const bytes = sized(chunk, reader.offset, header.compressed_page_size);
    reader.offset += bytes.length;
    if (header.type === 'DICTIONARY_PAGE') {
      const count = countOf(header.dictionary_page_header?.num_values, all);
      yield { kind: 'dictionary', count, bytes: decompress(bytes, header.uncompressed_page_size, codec) };
      continue;
    }
    const page = dataPage(header, bytes, codec, levels, all - seen);
    seen += page.count;
    yield page;
  }
}

function dataPage(
  header: PageHeader,
  bytes: Uint8Array,
  codec: ColumnMetaData['codec'],
  levels: Levels,
  left: number,
): DataPage {
  if (header.type === 'DATA_PAGE') {
    const { num_values, encoding } = header.data_page_header ?? {};
    const count = countOf(num_values, left);
    const page = decompress(bytes, header.uncompressed_page_size, codec);
    let at = 0;
    const levelsOf = (highest: number): Int32Array | undefined => {
      if (highest === 0) return undefined;
      const length = sized(page, at, 4)[0] === undefined ? 0 : viewOf(page).getUint32(at, true);
      const read = readLevels(sized(page, at + 4, length), highest, count);
      at += 4 + length;
      return read;
    };
    const repetition = levelsOf(levels.repetition);
    const definition = levelsOf(levels.definition);
    return withLevels({ count, encoding, repetition, definition, bytes: page.subarray(at) }, levels);
  }
  if (header.type === 'DATA_PAGE_V2') {
    const v2 = header.data_page_header_v2;
    const count = countOf(v2?.num_values, left);
    const first = v2?.repetition_levels_byte_length ?? 0;
    const second = v2?.definition_levels_byte_length ?? 0;
    const repetition = sized(bytes, 0, first);
    const definition = sized(bytes, first, second);
    const packed = bytes.subarray(first + second);
    const size = header.uncompressed_page_size - first - second;
    return withLevels(
      {
        count,
        encoding: v2?.encoding,
        repetition: levels.repetition === 0 ? undefined : readLevels(repetition, levels.repetition, count),
        definition: levels.definition === 0 ? undefined : readLevels(definition, levels.definition, count),
        bytes: v2?.is_compressed === false ? packed : decompress(packed, size, codec),
      },
      levels,
    );
  }
  throw damaged(`it is a ${header.type}`);
}

function withLevels(
  page: Omit<DataPage, 'kind' | 'present' | 'encoding'> & { readonly encoding: string | undefined },
  { definition: highest }: Levels,
): DataPage {
  const { definition, count, encoding = '' } = page;
  let present = count;
  if (definition !== undefined) {
    present = 0;
    for (let i = 0; i < count; i++) if (definition[i] === highest) present += 1;
  }
  return { ...page, kind: 'data', encoding, present };
}

function readLevels(bytes: Uint8Array, highest: number, count: number): Int32Array {
  const levels = new Int32Array(count);
  readHybrid(bytes, 0, bytes.length, 32 - Math.clz32(highest), levels, count);
  return levels;
}

const countOf = (count: number | undefined, most: number): number => {
  if (count !== undefined && count >= 0 && count <= most) return count;
  throw damaged(`${count} values where ${most} are left`);
};

function sized(bytes: Uint8Array, start: number, size: number): Uint8Array {
  if (size >= 0 && start + size <= bytes.length) return bytes.subarray(start, start + size);
  throw damaged(`${size} bytes where ${bytes.length - start} are left`);
}

export const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

function decompress(bytes: Uint8Array, size: number, codec: ColumnMetaData['codec']): Uint8Array {
  if (!(size >= 0 && size <= PAGE_BYTES_MAX)) throw damaged(`${size} bytes`);
  const page = size === 0 ? new Uint8Array(0) : decompressed(bytes, size, codec);
  if (page.length !== size) throw damaged(`${page.length} bytes where its header says ${size}`);
  return new Uint8Array(page.buffer, page.byteOffset, size); // no `Buffer`, whose `slice` copies nothing
}

function decompressed(bytes: Uint8Array, size: number, codec: ColumnMetaData['codec']): Uint8Array {
  switch (codec) {
    case 'UNCOMPRESSED':
      return bytes;
    case 'SNAPPY':
      if (snappySize(bytes) !== size)
        throw damaged(`its blocks hold ${snappySize(bytes)} bytes, its header says ${size}`);
      return uncompressSync(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length), { asBuffer: true }) as Buffer;
    case 'GZIP':
      return gunzipSync(bytes, { maxOutputLength: size });
    case 'ZSTD':
      return unzstd(bytes, new Uint8Array(size));
    default:
      throw new Error(`it is compressed by ${codec}`);
  }
}

/** What a block of Snappy says of its size: it is made room for before anything else is looked at. */
function snappySize(bytes: Uint8Array): number {
  let size = 0;
  for (let i = 0; i < 5; i++) {
    const byte = bytes[i] ?? 0;
    size += (byte & 0x7f) * 2 ** (7 * i);
    if (byte < 0x80) break;
  }
  return size;
}
