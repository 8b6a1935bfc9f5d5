import type { AsyncBuffer, FileMetaData } from 'hyparquet';
import type { RandomAccess } from './random-access.js';

/** Row groups of more bytes than this are read column by column. */
const GROUP_BYTES_MAX = 32 * 1024 * 1024;

interface Range {
  readonly start: number;
  readonly end: number;
}

/**
 * The bytes of a Parquet file, read by whole row groups: one question brings what its columns ask for one after another, which
 * counts where each question goes over a network.
 *
 * Memory: the compressed bytes of one row group, at most 32 MiB.
 */
export function byGroups(file: RandomAccess, metadata: FileMetaData): AsyncBuffer {
  const groups = rangesOf(metadata).filter(({ start, end }) => end - start <= GROUP_BYTES_MAX);
  let held: Range | undefined;
  let bytes: Promise<Uint8Array<ArrayBuffer>> | undefined;
  const read = async (start: number, end: number): Promise<ArrayBuffer> => {
    if (!isWithin(start, end, file.size)) throw outside(start, end, file.size);
    const group = groups.find((each) => each.start <= start && end <= each.end);
    if (group === undefined) return (await file.read(start, end)).buffer;
    if (bytes === undefined || held !== group) {
      held = group;
      bytes = file.read(group.start, group.end);
    }
    return (await bytes).buffer.slice(start - group.start, end - group.start);
  };
  return {
    byteLength: file.size,
    slice(start, end = file.size) {
      const answer = read(start, end);
      // The reader asks ahead, and where it gives up before, nobody waits for the answer.
      answer.catch(() => undefined);
      return answer;
    },
  };
}

const isWithin = (start: number, end: number, size: number): boolean => 0 <= start && start <= end && end <= size;

const outside = (start: number, end: number, size: number): RangeError =>
  new RangeError(`its footer points at the bytes from ${start} to ${end} of ${size}`);

/** Where the columns of each row group lie. */
const rangesOf = ({ row_groups }: FileMetaData): Range[] =>
  row_groups.flatMap(({ columns }) => {
    const chunks = columns.flatMap(({ meta_data: chunk }) => {
      if (chunk === undefined) return [];
      const start = Number(chunk.dictionary_page_offset ?? chunk.data_page_offset);
      return [{ start, end: start + Number(chunk.total_compressed_size) }];
    });
    if (chunks.length === 0) return [];
    return [{ start: Math.min(...chunks.map(({ start }) => start)), end: Math.max(...chunks.map(({ end }) => end)) }];
  });
