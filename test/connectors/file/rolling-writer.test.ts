import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { file } from '../../../connectors/file/index.js';
import { openFiles } from '../../../connectors/file/open.js';
import { type Part, RollingWriter, unfinishedParts } from '../../../connectors/file/rolling-writer.js';
import { openRowEncoder } from '../../../connectors/file/row-encoder.js';
import type { Origin } from '../../../src/core/index.js';
import type { Sink } from '../../../src/core/sink.js';
import { json, localRegistry } from '../../../src/schema/index.js';
import { originAt } from '../../../src/testing/contract.js';
import { newFolder } from './folder.js';

it('closes a part that is still being created when it is closed, as when a task fails in another sink', async () => {
  let created = (_part: Part): void => undefined;
  const creation = new Promise<Part>((resolve) => {
    created = resolve;
  });
  let closed = 0;
  const none = async () => undefined;
  const writer = new RollingWriter({
    encoder: await openRowEncoder({ schema: json() }, localRegistry()),
    store: { create: () => creation, adopt: none, show: none, sweep: none },
    location: { connector: 'file', folder: 'out' },
    prefix: 'part',
    ending: '.ndjson',
    by: undefined,
    roll: { rows: 10, bytes: 1_000, ageMs: 1_000 },
    now: () => 0,
  });
  const writing = Promise.resolve(writer.write([{ n: 1 }], [{ eventTimeMs: 0 } as Origin]));
  await writer.close();
  created({
    bytes: 0,
    append: () => undefined,
    keep: none,
    complete: none,
    close: async () => {
      closed += 1;
    },
  });
  await expect(writing).rejects.toThrow('the sink was closed while it began a file');
  expect(closed).toBe(1);
});

it('files that are not to be seen yet are told by the connector that they are of', () => {
  const folder = newFolder();
  writeFileSync(join(folder, 'shown'), '');
  const committable = (connector: 'file' | 's3') => ({
    next: 3,
    open: [{ name: 'begun', key: '', rows: 2, bytes: 9, sinceMs: 0, kept: {} }],
    complete: ['shown', 'hidden'].map((name) => ({ name, rows: 5, complete: {} })),
    location: { connector, folder },
  });
  const begun = { what: 'begun (2 rows)', isOpen: true };
  expect(unfinishedParts(committable('file'), 'file')).toEqual([
    begun,
    { what: 'hidden (5 rows, complete, not shown yet)', isOpen: false },
  ]);
  const maybe = 'complete; shown already, unless the process died before it was';
  expect(unfinishedParts(committable('s3'), 's3')).toEqual([
    begun,
    ...['shown', 'hidden'].map((name) => ({ what: `${name} (5 rows, ${maybe})`, isOpen: false })),
  ]);
  expect([unfinishedParts(committable('s3'), 'file'), unfinishedParts(undefined, 'file')]).toEqual([[], []]);
});

it('a record of any event time has the folder of a day or an hour that can be written', async () => {
  const names: string[] = [];
  const part: Part = {
    ...{ bytes: 0, append: () => undefined, close: async () => undefined },
    ...{ keep: async () => undefined, complete: async () => undefined },
  };
  const times = [-5, 0, 1_799_999_999_999, 8.64e15];
  for (const by of ['day', 'hour'] as const) {
    const writer = new RollingWriter({
      encoder: await openRowEncoder({ schema: json() }, localRegistry()),
      store: {
        create: async (name) => {
          names.push(name);
          return part;
        },
        adopt: async () => undefined,
        show: async () => undefined,
        sweep: async () => undefined,
      },
      location: { connector: 'file', folder: 'out' },
      prefix: 'part',
      ending: '.x',
      by,
      roll: { rows: 1, bytes: 1_000, ageMs: 1_000 },
      now: () => 0,
    });
    for (const eventTimeMs of times) await writer.write([{ n: 1 }], [{ eventTimeMs } as Origin]);
    await writer.close();
  }
  const days = ['1970-01-01', '1970-01-01', '2027-01-15', '9999-12-31'];
  expect(names).toEqual([
    ...days.map((day, n) => `date=${day}/part-0000000${n}.x`),
    ...['00', '00', '07', '23'].map((hour, n) => `date=${days[n]}/hour=${hour}/part-0000000${n}.x`),
  ]);
});

const DAY_MS = 86_400_000;
const ofDay = (day: number): Origin => ({ ...originAt(day), eventTimeMs: day * DAY_MS });

describe('rows of many days', () => {
  /** A writer of parts of which the names are kept, by what became of them. */
  async function opened(by: 'day' | undefined = 'day', rows = 1_000) {
    const isOpen = new Set<string>();
    const shown: string[] = [];
    let most = 0;
    const create = async (name: string): Promise<Part> => {
      isOpen.add(name);
      most = Math.max(most, isOpen.size);
      const end = async () => {
        isOpen.delete(name);
      };
      return { bytes: 0, append: () => undefined, keep: async () => name, complete: end, close: end };
    };
    const none = async () => undefined;
    const writer = new RollingWriter({
      encoder: await openRowEncoder({ schema: json() }, localRegistry()),
      store: { create, adopt: none, sweep: none, show: async (name) => void shown.push(name) },
      location: { connector: 'file', folder: 'out' },
      prefix: 'part',
      ending: '',
      by,
      roll: { rows, bytes: 1_000, ageMs: 1_000 },
      now: () => 0,
    });
    const write = async (days: readonly number[]) => {
      for (const day of days) await writer.write([{ day }], [ofDay(day)]);
    };
    return { writer, write, isOpen, shown, most: () => most };
  }
  const days = (count: number) => Array.from({ length: count }, (_, day) => day);

  it('have at most 32 files open, however the days follow each other', async () => {
    const { write, writer, isOpen, most } = await opened();
    for (let device = 0; device < 5; device++) await write(days(33));
    expect([most(), isOpen.size]).toEqual([32, 32]);
    await writer.close();
    expect(isOpen.size).toBe(0);
    const rolled = await opened(undefined, 1);
    await rolled.write(days(50));
    expect(rolled.most()).toBe(1);
  });

  it('leave the files open that had a row of late', async () => {
    const { write, isOpen } = await opened();
    await write([...days(32), 0, 99]);
    const begun = [...isOpen];
    expect(begun).toHaveLength(32);
    expect(begun).toContain('date=1970-01-01/part-00000000');
    expect(begun).not.toContain('date=1970-01-02/part-00000001');
  });

  it('are seen after the epoch that has them, and not after the one before', async () => {
    const { write, writer, shown } = await opened();
    await write(days(33));
    const first = (await writer.prepare()) as { complete: readonly { name: string }[] };
    expect(first.complete.map(({ name }) => name)).toEqual(['date=1970-01-01/part-00000000']);
    await write([50]);
    await writer.commit();
    expect(shown).toEqual(['date=1970-01-01/part-00000000']);
    const second = (await writer.prepare()) as { complete: readonly { name: string }[] };
    expect(second.complete.map(({ name }) => name)).toEqual(['date=1970-01-02/part-00000001']);
    await writer.commit();
    expect(shown).toEqual(['date=1970-01-01/part-00000000', 'date=1970-01-02/part-00000001']);
  });

  it.each([
    ['lines', { schema: json() }],
    ['Parquet', { columns: { n: 'integer' } }],
  ])('are written once if the epoch in which their files were completed had no end: %s', async (_, format) => {
    const folder = newFolder();
    const sink = file.sink({ folder, by: 'day', ...format } as never) as Sink<unknown>;
    const open = () =>
      openFiles({ schemas: localRegistry() }).sink.open(sink, {
        ...{ step: 'out', task: { topology: 't', partition: 0 }, incarnation: 0, committable: undefined },
      });
    const values = days(40).map((n) => ({ n }));
    const died = await open();
    await died.write(values, days(40).map(ofDay));
    await died.close();
    const writer = await open();
    await writer.write(values, days(40).map(ofDay));
    writer.finish?.();
    await writer.prepare?.();
    await writer.commit?.();
    await writer.close();
    const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.includes('part-'));
    expect(files.filter((name) => !name.startsWith('.'))).toHaveLength(40);
    expect(files.filter((name) => name.startsWith('.'))).toEqual([]);
  });
});
