import type { ColumnMetaData, DecodedArray, ParquetParsers, SchemaTree } from 'hyparquet';
import { assembleLists } from 'hyparquet/src/assemble.js';
import { convert, convertWithDictionary } from 'hyparquet/src/convert.js';
import { deltaBinaryUnpack, deltaLengthByteArray } from 'hyparquet/src/delta.js';
import { byteStreamSplit } from 'hyparquet/src/encoding.js';
import { readPlain } from 'hyparquet/src/plain.js';
import { getMaxDefinitionLevel, getMaxRepetitionLevel } from 'hyparquet/src/schema.js';
import { damaged, readHybrid } from './parquet-hybrid.js';
import { type DataPage, pagesOf, viewOf } from './parquet-page.js';

/** Bytes that texts of a page may have once the beginnings that they share with the one before are put in front. */
const SHARED_BYTES_MAX = 2 ** 29;
/** Values of a column that the library reads: as many as an array has room for without turning into a map. */
const LEAF_VALUES_MAX = 2 ** 25;

/**
 * The values of a leaf of the schema in a row group, in the lists that it lies in, by the library's own decoders. Those that take a
 * number from the page and make as much of it stand here anew: levels, places in dictionaries, shared beginnings.
 */
export function leafValues(
  chunk: Uint8Array,
  metadata: ColumnMetaData,
  schemaPath: SchemaTree[],
  parsers: ParquetParsers,
  onPage: () => void,
): DecodedArray[] {
  if (Number(metadata.num_values) > LEAF_VALUES_MAX) throw damaged(`a column of ${metadata.num_values} values`);
  const { element } = schemaPath[schemaPath.length - 1] as SchemaTree;
  const { type, codec, path_in_schema: pathInSchema } = metadata;
  const decoder = { pathInSchema, type, element, schemaPath, codec, parsers, utf8: false };
  const levels = {
    repetition: getMaxRepetitionLevel(schemaPath),
    definition: getMaxDefinitionLevel(schemaPath),
  };
  const chunks: DecodedArray[] = [];
  let last: DecodedArray | undefined;
  let dictionary: DecodedArray | undefined;
  for (const page of pagesOf(chunk, metadata, levels)) {
    onPage();
    if (page.kind === 'dictionary') {
      const reader = { view: viewOf(page.bytes), offset: 0 };
      dictionary = convert(readPlain(reader, type, page.count, element.type_length), decoder);
      continue;
    }
    const raw = valuesOf(page, metadata, element.type_length, dictionary);
    const values = convertWithDictionary(raw, dictionary, page.encoding as never, decoder);
    const isWhole = page.present === page.count && levels.repetition === 0;
    // Typed arrays of levels are read as the arrays that the library has.
    const definition = (isWhole ? [] : page.definition) as number[] | undefined;
    const repetition = (page.repetition ?? []) as number[];
    const output = Array.isArray(last) ? last : [];
    const assembled = assembleLists(output, definition, repetition, values, schemaPath);
    if (assembled !== last && assembled.length > 0) {
      chunks.push(assembled);
      last = assembled;
    }
  }
  return chunks;
}

function valuesOf(
  { bytes, present, encoding }: DataPage,
  { type }: ColumnMetaData,
  width: number | undefined,
  dictionary: DecodedArray | undefined,
): DecodedArray {
  const reader = { view: viewOf(bytes), offset: 0 };
  switch (encoding) {
    case 'PLAIN':
      return readPlain(reader, type, present, width);
    case 'PLAIN_DICTIONARY':
    case 'RLE_DICTIONARY': {
      if (dictionary === undefined) throw damaged('it has no dictionary');
      const places = hybrid(bytes, 1, bytes[0] ?? 0, present);
      for (const place of places) if (place >= dictionary.length) throw damaged(`place ${place} of its dictionary`);
      return Array.from(places);
    }
    case 'RLE':
      if (type !== 'BOOLEAN') throw damaged(`${type} in runs`);
      return Array.from(hybrid(bytes, 4, 1, present), (bit) => bit === 1);
    case 'BYTE_STREAM_SPLIT':
      if (present * (type === 'FIXED_LEN_BYTE_ARRAY' ? (width ?? 0) : 4) > bytes.length) throw damaged('it ends early');
      return byteStreamSplit(reader, present, type, width);
    case 'DELTA_BINARY_PACKED': {
      const numbers = type === 'INT32' ? new Int32Array(present) : new BigInt64Array(present);
      if (present > 0) deltaBinaryUnpack(reader, present, numbers);
      return numbers;
    }
    case 'DELTA_LENGTH_BYTE_ARRAY': {
      const texts: Uint8Array[] = [];
      if (present > 0) deltaLengthByteArray(reader, present, texts);
      return texts;
    }
    case 'DELTA_BYTE_ARRAY':
      return present > 0 ? sharedBeginnings(reader, present) : [];
    default:
      throw new Error(`it has values in the encoding ${encoding}`);
  }
}

/** Of a page of the first version, runs of booleans have their length in front; so they have in the second. */
function hybrid(bytes: Uint8Array, start: number, width: number, count: number): Int32Array {
  const values = new Int32Array(count);
  readHybrid(bytes, start, bytes.length, width, values, count);
  return values;
}

function sharedBeginnings(reader: { readonly view: DataView; offset: number }, count: number): Uint8Array[] {
  const shared = new Int32Array(count);
  deltaBinaryUnpack(reader, count, shared);
  const own = new Int32Array(count);
  deltaBinaryUnpack(reader, count, own);
  const { view } = reader;
  const values: Uint8Array[] = [];
  let before = new Uint8Array(0);
  let total = 0;
  for (let i = 0; i < count; i++) {
    const begins = shared[i] as number;
    const size = own[i] as number;
    const at = reader.offset;
    total += begins + size;
    if (begins < 0 || begins > before.length || size < 0 || at + size > view.byteLength || total > SHARED_BYTES_MAX) {
      throw damaged('its texts share what is not there');
    }
    const value = new Uint8Array(begins + size);
    value.set(before.subarray(0, begins));
    value.set(new Uint8Array(view.buffer, view.byteOffset + at, size), begins);
    reader.offset = at + size;
    values.push(value);
    before = value;
  }
  return values;
}
