import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdtemp, open, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { digestOf } from '../../../src/inference/session/file-digest.js';

let folder: string;
let place: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'file-digest-'));
  place = join(folder, 'model.onnx');
});
afterEach(async () => {
  vi.useRealTimers();
  await rm(folder, { recursive: true });
});

const LENGTH = 2 ** 22;
const content = (fill: number) => Buffer.alloc(LENGTH, fill);
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
/** As if the files had been written a minute ago. */
const later = () => vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 60_000 });

/** The bytes that this process reads meanwhile. */
function bytesRead(work: () => void): number {
  const all = () => Number(/rchar: (\d+)/.exec(readFileSync('/proc/self/io', 'utf8'))?.[1]);
  const before = all();
  work();
  return all() - before;
}

describe('the digest of a file', () => {
  test.runIf(process.platform === 'linux')('costs one reading while the file is the same', async () => {
    await writeFile(place, content(1));
    later();
    expect(bytesRead(() => digestOf(place))).toBeGreaterThanOrEqual(LENGTH);
    let digest = '';
    expect(bytesRead(() => (digest = digestOf(place)))).toBeLessThan(LENGTH / 10);
    expect(digest).toBe(sha256(content(1)));
  });

  test('is taken anew of one that was overwritten in place, even if its length and its times of writing are as before', async () => {
    await writeFile(place, content(1));
    const { atime, mtime } = await stat(place);
    await utimes(place, atime, mtime);
    later();
    expect(digestOf(place)).toBe(sha256(content(1)));
    const file = await open(place, 'r+');
    await file.write(Buffer.from([2]), 0, 1, LENGTH / 2);
    await file.close();
    await utimes(place, atime, mtime);
    const other = content(1);
    other[LENGTH / 2] = 2;
    expect(digestOf(place)).toBe(sha256(other));
  });

  test('is taken anew of another file under the same name', async () => {
    await writeFile(place, content(1));
    await writeFile(join(folder, 'other'), content(2));
    later();
    expect(digestOf(place)).toBe(sha256(content(1)));
    await rename(join(folder, 'other'), place);
    expect(digestOf(place)).toBe(sha256(content(2)));
  });

  test.runIf(process.platform === 'linux')(
    'is not kept of a file that has just changed: it may do so again',
    async () => {
      await writeFile(place, content(1));
      digestOf(place);
      expect(bytesRead(() => digestOf(place))).toBeGreaterThanOrEqual(LENGTH);
    },
  );

  test('of a file that is not there says so, and is not remembered', async () => {
    await writeFile(place, content(1));
    later();
    digestOf(place);
    await rm(place);
    expect(() => digestOf(place)).toThrow('the model file cannot be read again: ENOENT');
    await writeFile(place, content(2));
    expect(digestOf(place)).toBe(sha256(content(2)));
  });
});
