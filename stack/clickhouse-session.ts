import type { Session } from 'chdb';
import { memorySettings } from '../connectors/clickhouse/engine/engine.js';
import { mayReachFiles } from '../connectors/clickhouse/engine/file-access.js';
import type { StatementRequest } from './clickhouse-request.js';

/** An exception as ClickHouse would answer with it. */
export class StatementError extends Error {
  constructor(
    readonly code: number,
    message: string,
  ) {
    super(message);
  }
}

export interface StatementResult {
  readonly bytes: Uint8Array;
  readonly rowsRead: number;
  readonly rowsWritten: number;
  readonly elapsedSeconds: number;
}

const rawFormats = ['JSONEachRow', 'JSONCompactEachRow', 'TSV', 'TabSeparated', 'CSV', 'CSVWithNames'] as const;
type RawFormat = (typeof rawFormats)[number];
const binaryFormats = /\bFORMAT\s+(RowBinary\w*|Native|Parquet|Arrow\w*|ORC|Avro|Protobuf\w*|MsgPack|BSONEachRow)\s*$/i;

/**
 * One session of the engine, used by one request at a time. Settings, parameters and the database of a request are the
 * session's while its statement runs and are taken back afterwards, so that no request sees those of another.
 */
export class HostSession {
  /** Parameters of earlier requests: a session cannot forget one, so a statement that lacks its own must not find it. */
  private readonly stale = new Set<string>();

  constructor(private readonly session: Session) {}

  /** `readonly = 2` refuses writes for good, and lets settings of a request be set. */
  async prepare(readonly: boolean): Promise<void> {
    for (const [name, value] of Object.entries(memorySettings)) await this.run(`SET ${name} = ${value}`);
    if (readonly) await this.run('SET readonly = 2');
  }

  async execute(request: StatementRequest): Promise<StatementResult> {
    const { settings, params, database, sql } = request;
    for (const name of this.stale) {
      if (!params.has(name) && new RegExp(`\\{\\s*${name}\\s*:`).test(sql)) {
        throw new StatementError(
          456,
          `Code: 456. DB::Exception: Substitution \`${name}\` is not set. (UNKNOWN_QUERY_PARAMETER)`,
        );
      }
    }
    try {
      if (database !== undefined) await this.run(`USE ${identifier(database)}`);
      for (const [name, value] of settings) await this.run(`SET ${word(name)} = ${literal(value)}`);
      for (const [name, value] of params) {
        this.stale.add(name);
        await this.run(`SET param_${word(name)} = ${literal(value)}`);
      }
      return await this.statement(request);
    } finally {
      if (database !== undefined) await this.run('USE default');
      for (const name of settings.keys()) await this.reset(name);
    }
  }

  close(): void {
    this.session.close();
  }

  private async reset(name: string): Promise<void> {
    const value = (memorySettings as Readonly<Record<string, number>>)[name] ?? 'DEFAULT';
    // A setting that the engine refused at first is refused here too: the request has been told.
    await this.session.queryAsync(`SET ${word(name)} = ${value}`).catch(() => undefined);
  }

  private async statement({ sql, rows, format }: StatementRequest): Promise<StatementResult> {
    const insert = plainInsert(sql);
    if (rows && insert) {
      const { table, columns } = insert;
      const { rowsWritten, elapsed } = await this.session.insert({
        table,
        ...(columns ? { columns } : {}),
        format: insert.format,
        values: rows,
      });
      return { bytes: new Uint8Array(0), rowsRead: 0, rowsWritten, elapsedSeconds: elapsed };
    }
    const text = rows ? `${sql}\n${rows.toString()}` : sql;
    if (mayReachFiles(text)) {
      throw new StatementError(497, 'Code: 497. DB::Exception: this host reaches no files. (ACCESS_DENIED)');
    }
    if (/^\s*INSERT\s+INTO\s+[\w`.]+\s*(\([^)]*\))?\s*FORMAT\s+\w+\s*$/i.test(sql) && !rows) return nothing; // an insert without rows
    if (rows && binaryFormats.test(sql)) {
      throw new StatementError(48, 'Code: 48. DB::Exception: this host takes text formats only. (NOT_IMPLEMENTED)');
    }
    const result = await this.session.queryAsync(text, { format });
    return { bytes: result.bytes(), rowsRead: result.rowsRead, rowsWritten: 0, elapsedSeconds: result.elapsed };
  }

  private async run(sql: string): Promise<void> {
    await this.session.queryAsync(sql);
  }
}

const nothing: StatementResult = { bytes: new Uint8Array(0), rowsRead: 0, rowsWritten: 0, elapsedSeconds: 0 };

/** `INSERT INTO table (columns) FORMAT format`, whose rows can go to the engine as they are. */
function plainInsert(sql: string): { table: string; columns?: string[]; format: RawFormat } | undefined {
  const match = /^\s*INSERT\s+INTO\s+([\w`.]+)\s*(?:\(([\w`,\s]*)\))?\s*FORMAT\s+(\w+)\s*;?\s*$/i.exec(sql);
  if (!match) return undefined;
  const [, table = '', columns, format = ''] = match;
  if (!(rawFormats as readonly string[]).includes(format)) return undefined;
  const plain = (name: string) => name.replaceAll('`', '').trim();
  return {
    table: plain(table),
    ...(columns === undefined ? {} : { columns: columns.split(',').map(plain) }),
    format: format as RawFormat,
  };
}

function word(name: string): string {
  if (/^\w+$/.test(name)) return name;
  throw new StatementError(115, `Code: 115. DB::Exception: Unknown setting '${name}'. (UNKNOWN_SETTING)`);
}

const identifier = (name: string): string => `\`${name.replaceAll(/[\\`]/g, '\\$&')}\``;
const literal = (text: string): string => `'${text.replaceAll(/[\\']/g, '\\$&')}'`;
