import { randomInt } from 'node:crypto';
import { describe, expect, it, vi } from 'vitest';
import { rowPacker } from '../../../connectors/file/parquet/packed-rows.js';
import { toParquet } from '../../../connectors/file/parquet/to-parquet.js';
import { Conversion, parquetOf } from '../../../connectors/file/parquet/to-parquet-thread.js';

const columns = { n: 'integer', name: 'text?' };
const GROUP_ROWS = 100;

function packed(from: number, rows: number): Buffer {
  const pack = rowPacker(columns);
  return Buffer.concat(Array.from({ length: rows }, (_, i) => pack({ n: from + i, name: i % 3 ? `name ${i}` : null })));
}

async function whole(rows: Uint8Array): Promise<Buffer> {
  const parquet = await toParquet(columns, GROUP_ROWS);
  return Buffer.concat([parquet.push(rows), parquet.end()]);
}

/** Bytes in pieces of any size. */
function* pieces(bytes: Buffer): Generator<Buffer> {
  for (let at = 0; at < bytes.length; ) {
    const end = at + randomInt(1, 2_000);
    yield bytes.subarray(at, end);
    at = end;
  }
}

describe('the thread that makes Parquet of packed rows', () => {
  it('makes the same file as is made without it, of many at once, whatever pieces they come in', async () => {
    await Promise.all(
      [0, 99, 100, 1_234].map(async (count, i) => {
        const rows = packed(i, count);
        const made: Uint8Array[] = [];
        const given = async function* () {
          yield* pieces(rows);
        };
        for await (const bytes of parquetOf(given(), columns, GROUP_ROWS)) made.push(bytes);
        expect(Buffer.concat(made)).toEqual(await whole(rows));
      }),
    );
  });

  it('gives a row group as soon as its rows are there, and takes nobody their bytes', async () => {
    const conversion = new Conversion(columns, GROUP_ROWS);
    const rows = packed(0, GROUP_ROWS);
    const before = Buffer.from(rows);
    expect((await conversion.push(rows)).length).toBeGreaterThan(GROUP_ROWS);
    expect(rows).toEqual(before);
    expect((await conversion.push(packed(GROUP_ROWS, 1))).length).toBe(0);
    conversion.drop();
  });

  it('says what is wrong with rows, and goes on with those of others', async () => {
    const [damaged, other] = [new Conversion(columns, GROUP_ROWS), new Conversion(columns, GROUP_ROWS)];
    const failed = damaged.push(Buffer.from([0xff, 0xff, 0xff, 0xff, 1]));
    await expect(failed).rejects.toMatchObject({ code: 'state', permanent: true, hint: expect.any(String) });
    damaged.drop();
    const rows = packed(0, 10);
    const made = [await other.push(rows), await other.end()];
    expect(Buffer.concat(made)).toEqual(await whole(rows));
  });

  it('goes on for one file where another fails at its end, and is dropped too', async () => {
    const [other, damaged] = [new Conversion(columns, GROUP_ROWS), new Conversion(columns, GROUP_ROWS)];
    const rows = packed(0, 10);
    await damaged.push(rows.subarray(0, 5));
    await expect(damaged.end()).rejects.toMatchObject({ code: 'state' });
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    damaged.drop();
    const made = [await other.push(new Uint8Array(0))]; // answered after all that was said before
    vi.advanceTimersByTime(60_000);
    vi.useRealTimers();
    made.push(await other.push(rows), await other.end());
    expect(Buffer.concat(made)).toEqual(await whole(rows));
  });

  it('is one for all files of the process, and ends when it has had none for ten seconds', async () => {
    let started = 0;
    const note = () => {
      started += 1;
    };
    const made = async () => {
      const conversion = new Conversion(columns, GROUP_ROWS);
      await conversion.end();
      return started;
    };
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    process.on('worker', note);
    try {
      await made();
      started = 0;
      const open = new Conversion(columns, GROUP_ROWS);
      await made();
      vi.advanceTimersByTime(60_000); // it has a file
      await open.push(packed(0, 1));
      await open.end();
      vi.advanceTimersByTime(9_999);
      expect(await made()).toBe(0);
      vi.advanceTimersByTime(10_000);
      expect([await made(), await made()]).toEqual([1, 1]);
    } finally {
      process.off('worker', note);
      vi.useRealTimers();
    }
  });
});
