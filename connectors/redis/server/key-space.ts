import { isUtf8 } from 'node:buffer';
import type { Keyed } from './connection.js';
import type { Server } from './server.js';

/** Keys per step of a scan. */
const SCAN_KEYS = 1_000;

/** Reads and deletes keys, for tools. */
export interface KeySpace {
  /**
   * The keys with a prefix, in any order, each once; keys that are created or deleted meanwhile may be missed. Memory: the keys.
   */
  keys(prefix: string): Promise<readonly string[]>;
  /** The fields of hashes, in the order of their keys; empty if there is no hash. */
  hashes(keys: readonly string[]): Promise<readonly Readonly<Record<string, string>>[]>;
  /** The content of each key of any type, as plain data that can be compared; `undefined` if there is none. Memory: all of it. */
  contents(keys: readonly string[]): Promise<readonly unknown[]>;
  /** Deletes every key with a prefix; resolves with their number. */
  remove(prefix: string): Promise<number>;
  /** Deletes the fences of a topology and of its sub-topologies, on all nodes of a cluster. */
  removeFences(topology: string): Promise<void>;
}

/** The command that reads all of a key, by its type. */
const readers: Readonly<Record<string, readonly [name: string, ...args: string[]]>> = {
  string: ['get'],
  hash: ['hgetall'],
  set: ['smembers'],
  zset: ['zrange', '0', '-1', 'WITHSCORES'],
  stream: ['xrange', '-', '+'],
  'ReJSON-RL': ['json.get'],
};

/** A set has no order. The ids of a stream's entries are times of the server and not part of what was written. */
function plain(type: string, answer: unknown): unknown {
  if (type === 'string')
    return isUtf8(answer as Buffer) ? String(answer) : { base64: (answer as Buffer).toString('base64') };
  if (type === 'set') return [...(answer as string[])].sort();
  if (type === 'stream') return (answer as [id: string, fields: string[]][]).map(([, fields]) => fields);
  return answer;
}

/** Escapes a text so that a Redis pattern matches it literally. */
const literal = (text: string): string => text.replaceAll(/[*?[\]\\]/g, '\\$&');

export function keySpaceOf(server: Server): KeySpace {
  const matching = (pattern: string): Promise<readonly string[]> =>
    server.attempt('cannot list keys', async (on) => {
      const found = new Set<string>();
      for (const node of on.masters()) {
        let cursor = '0';
        do {
          const [next, some] = await node.scan(cursor, 'MATCH', pattern, 'COUNT', SCAN_KEYS);
          for (const key of some) found.add(key);
          cursor = next;
        } while (cursor !== '0');
      }
      return [...found];
    });
  const keys = (prefix: string) => matching(`${literal(prefix)}*`);
  const removeAll = async (gone: readonly string[]): Promise<void> => {
    for (let start = 0; start < gone.length; start += SCAN_KEYS) {
      await each('cannot remove keys', 'unlink', gone.slice(start, start + SCAN_KEYS));
    }
  };
  const each = (doing: string, name: string, wanted: readonly string[]) =>
    server.send(
      doing,
      wanted.map((key): Keyed => ({ key, command: [name, key] })),
    );
  return {
    keys,
    hashes: async (wanted) => (await each('cannot read hashes', 'hgetall', wanted)) as Record<string, string>[],
    async contents(wanted) {
      const types = (await each('cannot read keys', 'type', wanted)) as string[];
      const asked = wanted.flatMap((key, i): Keyed[] => {
        const [name, ...args] = readers[types[i] ?? ''] ?? [];
        return name === undefined ? [] : [{ key, command: [name, key, ...args], binary: types[i] === 'string' }];
      });
      const answers = [...(await server.send('cannot read keys', asked))];
      return types.map((type) => (readers[type] === undefined ? undefined : plain(type, answers.shift())));
    },
    async remove(prefix) {
      const gone = await keys(prefix);
      await removeAll(gone);
      return gone.length;
    },
    // In a cluster the hash tag comes before the topology.
    removeFences: async (topology) => {
      const found = await matching(`millrace:fence:*${literal(topology)}*`);
      const named = (key: string) => key.replace(/^millrace:fence:(\{[^}]*\}:)?/, '');
      await removeAll(
        found.filter((key) => named(key).startsWith(`${topology}:`) || named(key).startsWith(`${topology}/`)),
      );
    },
  };
}
