import { expect, it } from 'vitest';
import type { Buckets, Part } from '../../../connectors/s3/bucket.js';
import { Memory } from '../../../connectors/s3/memory.js';
import { LAST_PART, Upload } from '../../../connectors/s3/upload.js';

/** A store that keeps parts in memory; parts arrive in the reverse of the order in which they were sent. */
function store() {
  const done: (readonly Part[])[] = [];
  const removed: string[] = [];
  const waiting: (() => void)[] = [];
  let most = 0;
  const buckets: Partial<Buckets> = {
    beginUpload: async () => 'id',
    put: async () => undefined,
    remove: async (path) => void removed.push(path),
    completeUpload: async (_path, _id, parts) => void done.push(parts),
    putPart: async (_path, _id, n, body) => {
      await new Promise<void>((resolve) => {
        waiting.push(resolve);
        most = Math.max(most, waiting.length);
        setImmediate(() => waiting.pop()?.());
      });
      return { n, tag: `tag of ${Buffer.from(body)}` };
    },
  };
  return { buckets: buckets as Buckets, done, removed, most: () => most };
}

it('numbers its parts from 1 without gaps, also where it goes on, and the rest is the last that there may be', async () => {
  const { buckets, done, removed, most } = store();
  const upload = await Upload.begin(buckets, 'lake/object', 'lake/marker');
  for (const text of ['a', 'b', 'c', 'd', 'e', 'f']) await upload.add(Buffer.from(text));
  const begun = await upload.begun();
  expect(begun).toEqual({ id: 'id', marker: 'lake/marker', tags: [...'abcdef'].map((text) => `tag of ${text}`) });
  expect(most()).toBeLessThanOrEqual(4);
  const again = Upload.goOn(buckets, 'lake/object', begun);
  await again.add(Buffer.from('g'));
  await again.complete(Buffer.from('rest'));
  const parts = [...'abcdefg'].map((text, i) => ({ n: i + 1, tag: `tag of ${text}` }));
  expect(done).toEqual([[...parts, { n: LAST_PART, tag: 'tag of rest' }]]);
  expect(removed).toEqual(['lake/marker']);
});

it('keeps copies of pieces up to a bound, whose room is free again once they are forgotten', () => {
  const memory = new Memory(10);
  const body = Buffer.from('sixsix');
  expect(memory.keep('a', body)).toBe(true);
  body.fill('x');
  expect(String(memory.get('a'))).toBe('sixsix');
  expect([memory.keep('b', Buffer.alloc(5)), memory.get('b')]).toEqual([false, undefined]);
  for (let n = 0; n < 3; n++) memory.forget('b'); // it was never there
  expect([memory.keep('c', Buffer.alloc(4)), memory.keep('d', Buffer.alloc(1))]).toEqual([true, false]);
  memory.forget('a');
  expect([memory.get('a'), memory.keep('d', Buffer.alloc(7)), memory.keep('d', Buffer.alloc(6))]).toEqual([
    undefined,
    false,
    true,
  ]);
});
