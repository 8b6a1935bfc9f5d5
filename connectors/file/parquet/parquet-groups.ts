import type { ColumnMetaData, FileMetaData } from 'hyparquet';

/** The bytes from `start` to `end`, exclusive. */
export type ReadBytes = (start: number, end: number) => Promise<Uint8Array<ArrayBuffer>>;

/** Row groups with more bytes are read column by column. */
const GROUP_BYTES_MAX = 32 * 1024 * 1024;

interface Range {
  readonly start: number;
  readonly end: number;
}

/**
 * Reads a Parquet file of `size` bytes by whole row groups, so one request replaces one per column, which matters over a network.
 * The returned bytes must not be changed.
 *
 * Memory: the compressed bytes of one row group, at most 32 MiB.
 */
export function byGroups(read: ReadBytes, size: number, metadata: FileMetaData): ReadBytes {
  const groups = rangesOf(metadata).filter(({ start, end }) => end - start <= GROUP_BYTES_MAX);
  let held: Range | undefined;
  let bytes: Promise<Uint8Array<ArrayBuffer>> | undefined;
  return async (start, end) => {
    if (!isWithin(start, end, size)) throw outside(start, end, size);
    const group = groups.find((each) => each.start <= start && end <= each.end);
    if (group === undefined) return read(start, end);
    if (bytes === undefined || held !== group) {
      held = group;
      bytes = read(group.start, group.end);
    }
    return (await bytes).subarray(start - group.start, end - group.start);
  };
}

const isWithin = (start: number, end: number, size: number): boolean => 0 <= start && start <= end && end <= size;

const outside = (start: number, end: number, size: number): RangeError =>
  new RangeError(`its footer points at the bytes from ${start} to ${end} of ${size}`);

/** The range of a column's pages in a row group. Some writers store 0 if there is no dictionary. */
function rangeOf(chunk: ColumnMetaData): Range {
  const start = Number(chunk.dictionary_page_offset || chunk.data_page_offset);
  return { start, end: start + Number(chunk.total_compressed_size) };
}

/** The ranges of each row group's columns. */
const rangesOf = ({ row_groups }: FileMetaData): Range[] =>
  row_groups.flatMap(({ columns }) => {
    const chunks = columns.flatMap(({ meta_data: chunk }) => {
      return chunk === undefined ? [] : [rangeOf(chunk)];
    });
    if (chunks.length === 0) return [];
    return [{ start: Math.min(...chunks.map(({ start }) => start)), end: Math.max(...chunks.map(({ end }) => end)) }];
  });
