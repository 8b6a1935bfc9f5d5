import type { FileMetaData } from 'hyparquet';
import { describe, expect, it } from 'vitest';
import { byGroups } from '../../../connectors/file/parquet-groups.js';
import type { RandomAccess } from '../../../connectors/file/random-access.js';

const chunk = (data_page_offset: bigint, total_compressed_size: bigint) => ({
  meta_data: { data_page_offset, total_compressed_size },
});
const metadata = { row_groups: [{ columns: [chunk(4n, 6n), chunk(10n, 10n)] }] } as unknown as FileMetaData;

function bytes(size: number) {
  const asked: [number, number][] = [];
  const file: RandomAccess = {
    size,
    async read(start, end) {
      asked.push([start, end]);
      return Uint8Array.from({ length: end - start }, (_, i) => start + i);
    },
    close: async () => undefined,
  };
  return { asked, file };
}

describe('byGroups', () => {
  it('asks once for the columns of a row group', async () => {
    const { asked, file } = bytes(30);
    const { slice } = byGroups(file, metadata);
    const columns = await Promise.all([slice(4, 10), slice(10, 20)]);
    expect(columns.map((column) => new Uint8Array(column)[0])).toEqual([4, 10]);
    expect(await slice(22)).toHaveProperty('byteLength', 8);
    expect(asked).toEqual([
      [4, 20],
      [22, 30],
    ]);
  });

  it('refuses what lies outside the file, also where nobody waits for the answer', async () => {
    const { asked, file } = bytes(30);
    const { slice } = byGroups(file, metadata);
    for (const [start, end] of [
      [Number.NaN, 10],
      [4, Number.NaN],
      [-1, 10],
      [10, 4],
      [4, 31],
    ] as const) {
      await expect(slice(start, end)).rejects.toThrow('its footer points at');
      slice(start, end); // an unhandled rejection would fail the run
    }
    expect(asked).toEqual([]);
  });
});
