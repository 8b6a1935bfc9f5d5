import { isolatedName } from '../../src/core/kind.js';
import type { WrittenOutput } from '../../src/core/written.js';
import { isolatedPrefix } from './kinds.js';

/** Keys and their contents as plain data that can be compared. */
export interface Keys {
  keys(prefix: string): Promise<readonly string[]>;
  read(keys: readonly string[]): Promise<readonly unknown[]>;
  remove(prefix: string): Promise<unknown>;
  /** Deletes the fences of a topology. */
  removeFences(topology: string): Promise<void>;
}

/** Keys per read. */
const READ = 500;

/**
 * What a sink wrote, key by key. If clocks decided which value a key has, only the keys are compared. Memory: the keys, and the
 * contents of 500 of them.
 */
export const writtenKeys = (store: Keys): WrittenOutput => ({
  read: async (_sink, isolation, ordered) => ({
    how: ordered ? 'by key' : 'keys only',
    sorted: true,
    async *entries() {
      const prefix = isolatedPrefix(isolation);
      const sorted = (await store.keys(prefix)).map((key) => Buffer.from(key)).sort(Buffer.compare);
      for (let start = 0; start < sorted.length; start += READ) {
        const keys = sorted.slice(start, start + READ).map(String);
        const contents = await store.read(keys);
        for (const [i, key] of keys.entries()) {
          const id = key.slice(prefix.length);
          const at = JSON.stringify(contents[i] ?? {}, inOrder);
          yield { id, sort: id, digest: ordered ? at : '', at };
        }
      }
    },
    show: async (at) => JSON.parse(at),
  }),
  async remove(_sink, isolation) {
    await store.remove(isolatedPrefix(isolation));
    await store.removeFences(isolatedName(isolation));
  },
});

/** Fields have no order. */
const inOrder = (_name: string, value: unknown): unknown =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
    : value;
