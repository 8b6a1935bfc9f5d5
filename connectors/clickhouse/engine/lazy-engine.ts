import type { Engine } from './engine.js';

/** An engine that opens at its first use, so a topology without tables never loads it. */
export function lazyEngine(where: string, tableSettings: Engine['tableSettings'], open: () => Promise<Engine>): Engine {
  let opening: Promise<Engine> | undefined;
  const opened = (): Promise<Engine> => {
    opening ??= open().catch((error: unknown) => {
      opening = undefined;
      throw error;
    });
    return opening;
  };
  return {
    where,
    tableSettings,
    query: async (sql, params, signal) => (await opened()).query(sql, params, signal),
    queryReadOnly: async (sql) => (await opened()).queryReadOnly(sql),
    command: async (sql) => (await opened()).command(sql),
    exportParquet: async (sql, file) => (await opened()).exportParquet(sql, file),
    insert: async (table, columns, body) => (await opened()).insert(table, columns, body),
    close: async () => (await opening)?.close(),
  };
}
