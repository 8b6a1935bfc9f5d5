import type { FileMetaData } from 'hyparquet';
import { describe, expect, it } from 'vitest';
import { byGroups, type ReadBytes } from '../../../connectors/file/parquet/parquet-groups.js';

const chunk = (data_page_offset: bigint, total_compressed_size: bigint) => ({
  meta_data: { data_page_offset, total_compressed_size },
});
const metadata = { row_groups: [{ columns: [chunk(4n, 6n), chunk(10n, 10n)] }] } as FileMetaData;

function bytes() {
  const asked: [number, number][] = [];
  const read: ReadBytes = async (start, end) => {
    asked.push([start, end]);
    return Uint8Array.from({ length: end - start }, (_, i) => start + i);
  };
  return { asked, read };
}

describe('byGroups', () => {
  it('asks once for the columns of a row group', async () => {
    const { asked, read } = bytes();
    const slice = byGroups(read, 30, metadata);
    const columns = await Promise.all([slice(4, 10), slice(10, 20)]);
    expect(columns.map(([first]) => first)).toEqual([4, 10]);
    expect(await slice(22, 30)).toHaveLength(8);
    expect(asked).toEqual([
      [4, 20],
      [22, 30],
    ]);
  });

  it('refuses what lies outside the file', async () => {
    const { asked, read } = bytes();
    const slice = byGroups(read, 30, metadata);
    for (const [start, end] of [
      [Number.NaN, 10],
      [4, Number.NaN],
      [-1, 10],
      [10, 4],
      [4, 31],
    ] as const) {
      await expect(slice(start, end)).rejects.toThrow('its footer points at');
    }
    expect(asked).toEqual([]);
  });
});
