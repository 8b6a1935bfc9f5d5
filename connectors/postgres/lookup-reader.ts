import { getInHalves, type LookupAnswer, type LookupReader, MISSING, readAnswer } from '../../src/core/lookup.js';
import type { Connection, Run } from './connection.js';
import { explain, isUnrepresentable } from './errors.js';
import { ASKED, type RowsOptions } from './kinds.js';

const KEYS_MAX = 10_000;

/** Reads rows, each request on a free connection. */
export function rowsReader({ sql, decode }: RowsOptions, connections: Connections, where: string): LookupReader {
  const get = async (keys: readonly string[], signal: AbortSignal): Promise<readonly LookupAnswer[] | string> => {
    try {
      type Found = Readonly<Record<string, unknown>>;
      const rows = await connections.use((run) => run<Found>(sql, [keys]), signal);
      const found = new Map(rows.map(({ [ASKED]: n, ...row }) => [n, row]));
      return keys.map((_, i) => {
        const row = found.get(i + 1);
        return row === undefined ? MISSING : readAnswer(() => (decode === undefined ? row : decode(row)));
      });
    } catch (error) {
      const told = explain(error, 'cannot look rows up', where, 'lookup');
      if (isUnrepresentable(error)) return told.message;
      throw told;
    }
  };
  return {
    keysMax: KEYS_MAX,
    get: (keys, signal) => getInHalves(keys, (some) => get(some, signal)),
    ping: async () => {
      await connections.use((run) => run('SELECT 1'));
    },
    close: () => connections.close(),
  };
}

/**
 * A pool of connections, as many as there are requests in flight. If a request is given up, its connection is closed and replaced.
 */
export class Connections {
  private readonly free: Connection[] = [];
  private readonly all = new Set<Connection>();

  constructor(private readonly make: () => Connection) {}

  async use<T>(work: (run: Run) => Promise<T>, signal?: AbortSignal): Promise<T> {
    const connection = this.free.pop() ?? this.make();
    this.all.add(connection);
    try {
      return await connection.use(work, signal);
    } finally {
      this.free.push(connection);
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.all].map((connection) => connection.close()));
  }
}
