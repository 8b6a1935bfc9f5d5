import { resolve } from 'node:path';
import type { ConnectorContext, OpenConnector } from '../../../src/core/connector.js';
import { MillraceError } from '../../../src/core/errors.js';
import { explain } from '../errors.js';
import type { Engine, QueryParams } from './engine.js';

type Owner = NonNullable<ConnectorContext['owner']>;

/** The engine of the process that has the data folder open, for a command beside it. Nothing is inserted through it. */
export const ownersEngine = (owner: Owner, where: string): Engine => ({
  where,
  query: (sql, params) => owner('query', sql, params) as Promise<string>,
  queryReadOnly: (sql) => owner('queryReadOnly', sql) as Promise<string>,
  command: (sql) => owner('command', sql) as Promise<void>,
  exportParquet: (sql, file) => owner('exportParquet', sql, resolve(file)) as Promise<void>,
  insert: async () => {
    throw new MillraceError('internal', 'a command inserted rows beside the process that has the folder');
  },
  close: async () => undefined,
});

/** What the owner of the folder does for it. Errors are explained there: a class does not pass between processes. */
export function sharedEngine(engine: Engine): NonNullable<OpenConnector['shared']> {
  const explained = async <T>(failure: string, work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      throw explain(error, failure, engine.where);
    }
  };
  return {
    query: (sql: string, params: QueryParams) => explained('the query failed', () => engine.query(sql, params)),
    queryReadOnly: (sql: string) => explained('the query failed', () => engine.queryReadOnly(sql)),
    command: (sql: string) => explained('the statement failed', () => engine.command(sql)),
    exportParquet: (sql: string, file: string) =>
      explained(`cannot write ${file}`, () => engine.exportParquet(sql, file)),
  };
}
