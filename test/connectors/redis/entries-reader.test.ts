import { describe, expect, it } from 'vitest';
import type { Connection, Keyed } from '../../../connectors/redis/server/connection.js';
import { Server } from '../../../connectors/redis/server/server.js';
import { EntriesReader, type EntriesTask } from '../../../connectors/redis/stream/entries-reader.js';
import { EARLIEST } from '../../../src/core/checkpoint.js';
import type { RawRecord } from '../../../src/core/record.js';
import type { SourceReader } from '../../../src/core/source.js';

const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);
const idOf = (n: number) => `${1_000 + n}-0`;
const numberOf = (id: string) => Number(id.split('-')[0]) - 1_000;

/** A stream in memory, which answers what the reader asks as Redis does. */
function memoryStream(fill = 0, payload = '') {
  let added = 0;
  let present: { readonly n: number; readonly text: string }[] = [];
  let deleted = -1;
  const counts: number[] = [];
  const waits: (() => void)[] = [];
  const answer = ({ command: [name, ...args] }: Keyed): unknown => {
    if (name === 'xinfo') {
      if (added === 0) return new Error('ERR no such key');
      const first = present[0];
      return [
        ...['length', present.length, 'entries-added', added, 'last-generated-id', idOf(added - 1)],
        ...['max-deleted-entry-id', deleted < 0 ? '0-0' : idOf(deleted)],
        ...['first-entry', first === undefined ? null : [idOf(first.n), []]],
      ];
    }
    const after = numberOf(String(args[1]).slice(1));
    const count = Number(args[4]);
    counts.push(count);
    const found = present.filter(({ n }) => n > after).slice(0, count);
    return found.map(({ n, text }) => [Buffer.from(idOf(n)), [Buffer.from('v'), Buffer.from(text)]]);
  };
  const connection: Partial<Connection> = {
    transact: async (commands) => commands.map(answer),
    send: async ([keyed]) => {
      const after = numberOf(String(keyed?.command.at(-1)));
      if (!present.some(({ n }) => n > after)) await new Promise<void>((resolve) => waits.push(resolve));
      return [null];
    },
  };
  const stream = {
    counts,
    /** How many waits for an entry are under way. */
    waiting: () => waits.length,
    wake: () => {
      for (const resolve of waits.splice(0)) resolve();
    },
    add(count: number) {
      for (const n of range(added, added + count)) present.push({ n, text: `${n}${payload}` });
      added += count;
      stream.wake();
    },
    trim: (keep: number) => {
      present = keep === 0 ? [] : present.slice(-keep);
    },
    remove: (n: number) => {
      present = present.filter((each) => each.n !== n);
      deleted = Math.max(deleted, n);
    },
    /** Deleted and made again. */
    clear: () => {
      [added, present, deleted] = [0, [], -1];
    },
    open: (task: Partial<EntriesTask> = {}): Promise<SourceReader> => {
      const server = new Server({ url: 'redis://127.0.0.1:1', attemptsMax: 1 });
      Object.assign(server, { connection: async () => connection });
      return EntriesReader.open(
        server,
        { stream: 's', partitions: undefined, field: 'v', keyField: undefined },
        { stream: 's', bounded: true, offset: EARLIEST, sourceState: undefined, onDataLoss: undefined, ...task },
      );
    },
  };
  stream.add(fill);
  return stream;
}

const numbers = (records: readonly RawRecord[]) => records.map(({ value }) => Number.parseInt(String(value), 10));

async function rest(reader: SourceReader, recordsMax = 1_000) {
  const records: RawRecord[] = [];
  let skipped = 0;
  for (;;) {
    const polled = await reader.poll(recordsMax);
    records.push(...polled.records);
    skipped += polled.skipped ?? 0;
    if (polled.ended) return { numbers: numbers(records), offsets: records.map(({ offset }) => offset), skipped };
  }
}

/** The position after `n` entries, as a checkpoint has it. */
const past = (n: number) => ({ offset: n, sourceState: { id: idOf(n - 1) } });

describe('a reader of a stream', () => {
  it('that is bounded ends with the entries that there were when it was opened', async () => {
    const stream = memoryStream(40);
    const reader = await stream.open();
    expect(reader.isBehind).toBe(true);
    stream.add(100);
    expect(await rest(reader, 7)).toEqual({ numbers: range(0, 40), offsets: range(0, 40), skipped: 0 });
    expect(await rest(await memoryStream().open())).toEqual({ numbers: [], offsets: [], skipped: 0 });
    expect(await rest(await stream.open(past(140)))).toEqual({ numbers: [], offsets: [], skipped: 0 });
    const last = await stream.open(past(139));
    expect(last.isBehind).toBe(true);
    expect((await rest(last)).numbers).toEqual([139]);
  });

  it('goes on at the id of a checkpoint, or counts to the offset where it has none', async () => {
    const stream = memoryStream(50);
    const first = await stream.open({ bounded: false });
    expect(numbers((await first.poll(10)).records)).toEqual(range(0, 10));
    expect(first.sourceStateOf?.(0)).toBeUndefined();
    expect(first.sourceStateOf?.(4)).toEqual({ id: idOf(3) });
    expect(first.sourceStateOf?.(10)).toEqual({ id: idOf(9) });
    expect(first.sourceStateOf?.(10)).toEqual({ id: idOf(9) });
    expect(first.sourceStateOf?.(3)).toBeUndefined(); // before the last checkpoint
    for (const at of [past(10), { offset: 10 }])
      expect(await rest(await stream.open(at), 7)).toEqual({
        numbers: range(10, 50),
        offsets: range(10, 50),
        skipped: 0,
      });
    stream.trim(45);
    for (const at of [past(10), { offset: 10 }, { offset: 5 }])
      expect((await rest(await stream.open(at))).offsets).toEqual(range(at.offset, 50));
    expect((await rest(await stream.open())).offsets).toEqual(range(5, 50));
  });

  it('that is not bounded waits once for an entry, and is behind until it has all', async () => {
    const stream = memoryStream(5);
    const reader = await stream.open({ bounded: false });
    expect(numbers((await reader.poll(3)).records)).toEqual([0, 1, 2]);
    expect(reader.isBehind).toBe(true);
    expect(numbers((await reader.poll(3)).records)).toEqual([3, 4]);
    expect(reader.isBehind).toBe(false);
    const empty = reader.poll(3);
    await new Promise(setImmediate);
    expect(stream.waiting()).toBe(1);
    stream.wake();
    expect(await empty).toEqual({ records: [], ended: false });
    const waiting = reader.poll(3);
    await new Promise(setImmediate);
    stream.add(1);
    expect((await waiting).records).toMatchObject([{ offset: 5, timestampMs: 1_005 }]);
    await reader.close();
    expect(await reader.poll(3)).toEqual({ records: [], ended: true });
  });

  it('is not behind where the stream has nothing after its position', async () => {
    const stream = memoryStream(5);
    expect((await stream.open({ ...past(5), bounded: false })).isBehind).toBe(false);
    expect((await stream.open({ ...past(4), bounded: false })).isBehind).toBe(true);
  });

  it('reads more at a time while entries are small, and fewer where they are large', async () => {
    const stream = memoryStream(5_000);
    await rest(await stream.open(), 10_000);
    expect(stream.counts).toEqual([1, 16, 32, 64, 128, 256, 512, 1_000, 1_000, 1_000, 1_000]);
    const large = memoryStream(60, 'x'.repeat(2 ** 20));
    await rest(await large.open());
    expect(large.counts).toEqual([1, 16, 8, 4, 2, 4, 2, 4, 2, 4, 2, 4, 2, 4, 2]);
    const few = memoryStream(60);
    await rest(await few.open(), 5);
    expect(Math.max(...few.counts)).toBe(5);
  });

  it('gives no more than it is asked for, in records and in bytes', async () => {
    const reader = await memoryStream(16, 'x'.repeat(98)).open();
    const polled = async (recordsMax: number, bytesMax: number) =>
      numbers((await reader.poll(recordsMax, bytesMax)).records);
    expect(await polled(16, 250)).toEqual([0, 1, 2]);
    expect(await polled(2, 10_000)).toEqual([3, 4]);
    expect(await polled(16, 1)).toEqual([5]);
  });
});

describe('entries that are gone', () => {
  const gone = (text: string) => ({
    ...{ code: 'source', where: 's', permanent: true, hint: expect.stringContaining('onDataLoss') },
    message: expect.stringContaining(text),
  });

  it('since the stream was trimmed end the run, or are passed over as it is told', async () => {
    const stream = memoryStream(50);
    stream.trim(20);
    for (const at of [past(10), { offset: 10 }]) {
      await expect(rest(await stream.open(at))).rejects.toMatchObject(
        gone('from 10 on, entries of the stream s are gone: 20 entries were trimmed'),
      );
      expect(await rest(await stream.open({ ...at, onDataLoss: 'earliest' }))).toEqual({
        ...{ numbers: range(30, 50), offsets: range(30, 50), skipped: 20 },
      });
      expect(await rest(await stream.open({ ...at, onDataLoss: 'latest' }))).toEqual({
        numbers: [],
        offsets: [],
        skipped: 40,
      });
    }
    // What a checkpoint has passed may be trimmed.
    expect((await rest(await stream.open(past(30)))).numbers).toEqual(range(30, 50));
    stream.trim(0);
    await expect(rest(await stream.open(past(10)))).rejects.toMatchObject(gone('40 entries were trimmed'));
    expect(await rest(await stream.open({ ...past(10), onDataLoss: 'earliest' }))).toMatchObject({
      numbers: [],
      skipped: 40,
    });
  });

  it('since the stream was trimmed while it was read are noticed', async () => {
    const stream = memoryStream(100);
    const reader = await stream.open({ bounded: false });
    expect(numbers((await reader.poll(10)).records)).toEqual(range(0, 10));
    stream.trim(80);
    await expect(reader.poll(10)).rejects.toMatchObject(gone('10 entries were trimmed'));
    const latest = memoryStream(100);
    const other = await latest.open({ bounded: false, onDataLoss: 'latest' });
    expect(numbers((await other.poll(10)).records)).toEqual(range(0, 10));
    latest.trim(80);
    latest.add(0);
    const polled = other.poll(10);
    await new Promise(setImmediate);
    latest.wake();
    expect(await polled).toEqual({ records: [], ended: false, skipped: 90 });
    latest.add(2);
    expect((await other.poll(10)).records.map(({ offset }) => offset)).toEqual([100, 101]);
  });

  it('since they were deleted end the run: those after them would have other numbers', async () => {
    const stream = memoryStream(30);
    for (const n of [4, 9]) stream.remove(n);
    expect((await rest(await stream.open(past(10)))).offsets).toEqual(range(10, 30)); // behind the checkpoint
    stream.remove(20);
    await expect(rest(await stream.open(past(10)))).rejects.toMatchObject(gone(`some were deleted, up to ${idOf(20)}`));
    expect(await rest(await stream.open({ ...past(10), onDataLoss: 'latest' }))).toMatchObject({
      numbers: [],
      skipped: 20,
    });
    const earliest = await rest(await stream.open({ ...past(10), onDataLoss: 'earliest' }));
    expect([earliest.numbers, earliest.skipped]).toEqual([range(10, 30).filter((n) => n !== 20), 1]);
  });

  it('beyond the end of the stream were never there', async () => {
    const stream = memoryStream(30);
    stream.trim(20);
    expect(await rest(await stream.open({ offset: 30 }))).toMatchObject({ numbers: [] });
    await expect(stream.open({ offset: 31, onDataLoss: 'earliest' })).rejects.toMatchObject(
      gone('from 31 on, entries of the stream s are gone: it holds 10 to 30'),
    );
  });

  it('with a stream that was deleted end the run, whatever it is told', async () => {
    const stream = memoryStream(5);
    const replaced = {
      code: 'source',
      where: 's',
      permanent: true,
      message: expect.stringContaining('is not the one'),
    };
    const reading = await stream.open({ ...past(3), bounded: false });
    stream.clear();
    for (const onDataLoss of [undefined, 'earliest', 'latest'] as const)
      await expect(stream.open({ ...past(5), onDataLoss })).rejects.toMatchObject(replaced);
    await expect(reading.poll(1)).rejects.toMatchObject(replaced);
    stream.add(3);
    await expect(stream.open(past(5))).rejects.toMatchObject(replaced);
    await expect(stream.open({ offset: 3, sourceState: { id: idOf(8) } })).rejects.toMatchObject(replaced);
  });
});

it('ends quietly where it is closed while it waits, and with the failure otherwise', async () => {
  const stream = memoryStream();
  const reader = await stream.open({ bounded: false });
  const polled = reader.poll(1);
  await new Promise(setImmediate);
  await reader.close();
  stream.clear();
  stream.wake();
  expect(await polled).toEqual({ records: [], ended: true });
});
