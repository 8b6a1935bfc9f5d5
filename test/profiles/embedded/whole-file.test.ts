import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { open } from 'lmdb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openEmbedded } from '../../../src/profiles/embedded/index.js';
import { mustBeWhole } from '../../../src/profiles/embedded/whole-file.js';
import { localRegistry } from '../../../src/schema/index.js';
import { generator } from '../../random.js';

const folder = mkdtempSync(join(tmpdir(), 'millrace-whole-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const whole = join(folder, 'whole');

beforeAll(async () => {
  const embedded = await openEmbedded({ path: whole, registry: localRegistry() });
  const producer = embedded.producer();
  await producer.createTopic('in', 2);
  const value = new Uint8Array(4_000).fill(7);
  for (let i = 0; i < 40; i++)
    await producer.append(
      'in',
      i % 2,
      Array.from({ length: 200 }, () => ({ key: null, value, timestampMs: i })),
    );
  await producer.close();
  await embedded.close();
});

let made = 0;
/** A copy of the store whose file was changed. */
function copy(change: (file: string) => void): string {
  const path = join(folder, `copy-${made++}`);
  mkdirSync(path);
  copyFileSync(join(whole, 'data.mdb'), join(path, 'data.mdb'));
  change(join(path, 'data.mdb'));
  return path;
}
const overwritten = (start: number, bytes: readonly number[]) => (file: string) => {
  const content = readFileSync(file);
  content.set(bytes, start);
  writeFileSync(file, content);
};

/** What another process says of a store, or the signal that ended it. */
function opened(path: string): string {
  const script = fileURLToPath(new URL('./open-and-stay.ts', import.meta.url));
  const flags = ['--import', 'tsx', '--conditions', 'millrace-source', script, path];
  const { stdout, signal } = spawnSync(process.execPath, flags, {
    encoding: 'utf8',
    timeout: 8_000,
    killSignal: 'SIGKILL',
  });
  return stdout.trim() || String(signal);
}

describe('a store whose file is damaged', () => {
  it.each<[string, (file: string) => void, RegExp]>([
    ['cut off in its header', (file) => truncateSync(file, 5_000), /damaged: the root of a tree is missing|header/],
    ['cut off behind its header', (file) => truncateSync(file, 8_192), /damaged: the root of a tree is missing/],
    ['cut off in the middle', (file) => truncateSync(file, statSync(file).size / 4), /damaged/],
    ['with another header', overwritten(0, new Array(8_192).fill(0x41)), /damaged: its header is none of LMDB/],
    ['with a page size that is none', overwritten(48, [1, 2, 3, 4]), /damaged: its header is none of LMDB/],
  ])('is refused where it is %s', (_, change, message) => {
    expect(opened(copy(change))).toMatch(message);
  });

  it('is opened where it is whole, new or empty', () => {
    expect(() => mustBeWhole(copy(() => undefined))).not.toThrow();
    expect(() => mustBeWhole(copy((file) => truncateSync(file, 0)))).not.toThrow();
    expect(() => mustBeWhole(join(folder, 'none'))).not.toThrow();
  });

  it('is never taken for damaged, whatever was written and removed', async () => {
    const path = join(folder, 'busy');
    const root = open({ path, noSubdir: false, maxDbs: 8, encoding: 'binary' });
    const next = generator(3);
    for (let round = 0; round < 150; round++) {
      await root.batch(() => {
        for (let i = 0; i < 60; i++) {
          const key = `k${Math.floor(next() * 300)}`;
          void root.put(key, Buffer.alloc(Math.floor(next() ** 4 * 60_000) + 1, 1));
          if (next() < 0.5) void root.remove(key);
        }
      });
      mustBeWhole(path);
    }
    await root.close();
  });
});
