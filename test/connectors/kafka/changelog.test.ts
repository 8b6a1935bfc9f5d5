import fc from 'fast-check';
import { expect, it } from 'vitest';
import { ChangelogReader, changeRecord, checkpointRecord } from '../../../connectors/kafka/checkpoint/changelog.js';
import type { OutgoingRecord } from '../../../src/core/record.js';
import type { StateChange } from '../../../src/core/state.js';

const checkpoint = {
  epoch: 4,
  incarnation: 1,
  topologyHash: 'abc',
  positions: { in: { offset: 12, mergeTimeMs: -8.64e15 } },
  settledDecisions: {},
};
const inputs = { in: { topic: 'flights', topicId: 'id' } };
const change = (cell: string, bucket: number, bytes: string | null): StateChange => ({
  step: 'learn',
  cell,
  bucket,
  version: 3,
  bytes: bytes === null ? null : Buffer.from(bytes),
});

function read(records: readonly OutgoingRecord[]) {
  const reader = new ChangelogReader();
  for (const { key, value } of records) reader.put(key, value);
  return reader.restored('changelog/0');
}

it('keeps the newest value of each bucket, and none that is gone', () => {
  const { stored, state } = read([
    changeRecord(change('weights', 0, 'old'), 1),
    changeRecord(change('weights', 1, 'gone'), 1),
    checkpointRecord({ checkpoint: { ...checkpoint, epoch: 3 }, inputs }, 1),
    changeRecord(change('weights', 0, 'new'), 2),
    changeRecord(change('weights', 1, null), 2),
    changeRecord(change('a/b', 7, ''), 2),
    checkpointRecord({ checkpoint, inputs }, 2),
  ]);
  expect(stored).toEqual({ checkpoint, inputs });
  expect(state.map((each) => ({ ...each, bytes: Buffer.from(each.bytes ?? []).toString() }))).toEqual([
    { step: 'learn', cell: 'weights', bucket: 0, version: 3, bytes: 'new' },
    { step: 'learn', cell: 'a/b', bucket: 7, version: 3, bytes: '' },
  ]);
});

it('agrees with a map of keys, whatever the names of steps and cells', () => {
  const name = fc.constantFrom('a', 'a/b', 'ab', 'a/1', '1', 'é', 'é/日本', '0/0');
  const write = fc.record({
    step: fc.constantFrom('a', 'é', '1'),
    cell: name,
    bucket: fc.constantFrom(0, 1, 7, 2 ** 33, 10, 100),
    text: fc.option(fc.string({ maxLength: 5 })),
  });
  fc.assert(
    fc.property(fc.array(write, { maxLength: 60 }), (writes) => {
      const reader = new ChangelogReader();
      const newest = new Map<string, string>();
      for (const { step, cell, bucket, text } of writes) {
        const bytes = text === null ? null : Buffer.from(text);
        const { key, value } = changeRecord({ step, cell, bucket, version: 1, bytes }, 0);
        reader.put(key, value);
        const place = JSON.stringify([step, cell, bucket]);
        if (text === null) newest.delete(place);
        else newest.set(place, text);
      }
      const bytes = [...newest.values()].reduce((sum, text) => sum + 4 + Buffer.byteLength(text), 0);
      expect(reader.bytes).toBe(bytes);
      const read = reader
        .restored('x')
        .state.map((each) => [
          JSON.stringify([each.step, each.cell, each.bucket]),
          Buffer.from(each.bytes ?? []).toString(),
        ]);
      expect(Object.fromEntries(read)).toEqual(Object.fromEntries(newest));
      expect(reader.restored('x').state).toEqual([]);
    }),
  );
});

it('owns the bytes that it gives back', () => {
  const { key, value } = changeRecord(change('weights', 0, 'mine'), 1);
  const reader = new ChangelogReader();
  reader.put(key, value);
  value?.fill(0);
  expect(Buffer.from(reader.restored('x').state[0]?.bytes ?? []).toString()).toBe('mine');
});

it('keeps at most as much of replaced values as of the newest, and 4 MiB', () => {
  const reader = new ChangelogReader();
  const put = (bucket: number, length: number) => {
    const { key, value } = changeRecord({ ...change('weights', bucket, null), bytes: Buffer.alloc(length, bucket) }, 1);
    reader.put(key, value);
  };
  // A value that stays, and 80 KB of one that is replaced at once: each block has one of the first.
  for (let i = 1; i <= 400; i++) {
    put(i, 100);
    for (let j = 0; j < 8; j++) put(0, 10_000);
    if (i === 200) put(5_000, 100_000); // larger than a block
  }
  const { bytes } = reader;
  const { state } = reader.restored('x');
  const buffers = new Set(state.map((each) => each.bytes?.buffer));
  const held = [...buffers].reduce((sum, buffer) => sum + (buffer?.byteLength ?? 0), 0);
  expect(bytes).toBe(400 * 104 + 10_004 + 100_004);
  expect(held).toBeLessThan(2 * bytes + 4 * 1024 * 1024);
  for (const each of state) expect([...new Set(each.bytes)]).toEqual([each.bucket % 256]);
});

it('refuses what it did not write', () => {
  const foreign = { key: Buffer.from('hello'), value: Buffer.from([0, 0, 0, 1]), timestampMs: 0 };
  expect(() => read([foreign])).toThrow(expect.objectContaining({ code: 'state', where: 'changelog/0' }));
  const newer = checkpointRecord({ checkpoint, inputs }, 0);
  newer.value?.set([0, 0, 0, 2]);
  expect(() => read([newer])).toThrow(expect.objectContaining({ message: 'unknown version 2 of the checkpoint' }));
});
