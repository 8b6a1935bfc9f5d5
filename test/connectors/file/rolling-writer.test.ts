import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { type Part, RollingWriter, unfinishedParts } from '../../../connectors/file/rolling-writer.js';
import { openRowEncoder } from '../../../connectors/file/row-encoder.js';
import type { Origin } from '../../../src/core/index.js';
import { json, localRegistry } from '../../../src/schema/index.js';
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
