import type { ClickHouseClient } from '@clickhouse/client';
import { MillraceError, messageOf } from '../../src/core/errors.js';

/** Statements against one engine. */
export interface Statements {
  query<T>(sql: string): Promise<T[]>;
  command(sql: string): Promise<void>;
  /** Inserts rows in the TabSeparated format; tried again while the engine cannot be reached. */
  insert(table: string, columns: readonly string[], rows: string): Promise<void>;
}

const TRIES_MAX = 6;
const BACK_OFF_MS = 100;

/** Statements over the official client. A repeated insert is harmless: rows carry their identity. */
export function statementsOf(client: ClickHouseClient, where: string, sleep = sleepFor): Statements {
  const run = async <T>(what: string, statement: () => Promise<T>, tries: number): Promise<T> => {
    for (let failed = 1; ; failed++) {
      try {
        return await statement();
      } catch (cause) {
        if (failed < tries && isPassing(cause)) {
          // Jitter, so that the tasks of a run do not come back all at once.
          await sleep(BACK_OFF_MS * 2 ** (failed - 1) * (0.5 + Math.random()));
          continue;
        }
        throw errorOf(what, where, cause);
      }
    }
  };
  return {
    query: (sql) =>
      run(
        'a query',
        async () => (await client.query({ query: sql, format: 'JSONEachRow' })).json() as Promise<never[]>,
        1,
      ),
    command: (sql) => run('a command', async () => void (await client.command({ query: sql })), TRIES_MAX),
    insert: (table, columns, rows) => {
      const names = columns.map((name) => `\`${name}\``).join(', ');
      const query = `INSERT INTO \`${table}\` (${names}) FORMAT TabSeparated\n${rows}`;
      return run(`an insert into ${table}`, async () => void (await client.command({ query })), TRIES_MAX);
    },
  };
}

/** The engine answered with an error of its own (`code` is its number), or it could not be reached at all. */
const isPassing = (error: unknown): boolean => {
  const { code } = error as { code?: unknown };
  if (typeof code !== 'string') return false;
  // 202, 252, 209: too many queries, too many parts, socket timeout: the engine says "later".
  return /^E[A-Z_]+$/.test(code) || ['202', '252', '209'].includes(code);
};

function errorOf(what: string, where: string, cause: unknown): MillraceError {
  const passing = isPassing(cause);
  return new MillraceError('sink', `ClickHouse refused ${what}: ${messageOf(cause).split('\n')[0]}`, {
    where,
    cause,
    hint: passing
      ? 'is the server running and reachable? `npm run stack` starts one for development'
      : "the message is the engine's own",
  });
}

const sleepFor = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
