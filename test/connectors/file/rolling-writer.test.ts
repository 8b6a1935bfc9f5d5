import { expect, it } from 'vitest';
import { type Part, RollingWriter } from '../../../connectors/file/rolling-writer.js';
import { openRowEncoder } from '../../../connectors/file/row-encoder.js';
import type { Origin } from '../../../src/core/index.js';
import { json, localRegistry } from '../../../src/schema/index.js';

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
