/** A ClickHouse engine behind whatever carries the statements. Errors are those of the carrier; see `errors.ts`. */
export interface Engine {
  /** Where it is, without credentials: for messages. */
  readonly where: string;
  /** The result's bytes in `JSONEachRow`; `signal` ends the request where there is one to end. */
  query(sql: string, params: QueryParams, signal?: AbortSignal): Promise<string>;
  /** The same for a statement of somebody who may only read tables: what writes, or reaches files and addresses, fails. */
  queryReadOnly(sql: string): Promise<string>;
  command(sql: string): Promise<void>;
  /** Writes the result of a query into a file of this machine as Parquet, without taking it into memory as a whole. */
  exportParquet(sql: string, file: string): Promise<void>;
  /** Inserts rows written in `JSONCompactEachRow`; the caller leaves `body` as it is until this settles. */
  insert(table: string, columns: readonly string[], body: Buffer): Promise<void>;
  close(): Promise<void>;
}

/** Values of `{name:Type}` in a statement. */
export type QueryParams = Readonly<Record<string, unknown>>;

/**
 * Settings of every insert: this engine batches by itself, so that a statement is in a part when it returns; and a
 * null for a column that takes none is an error, not a silent zero.
 */
export const insertSettings = { async_insert: 0, input_format_null_as_default: 0 } as const;

/** Settings of every query, so that results do not depend on where the engine runs. */
export const querySettings = { session_timezone: 'UTC', output_format_json_quote_64bit_integers: 0 } as const;

const MEBIBYTE = 2 ** 20;

/**
 * What keeps the process of an engine small: a statement that needs more memory goes to disk or fails. There is no
 * limit on the whole, since the engine counts the memory of the process, which may not be its own alone.
 */
export const memorySettings = {
  max_memory_usage: 700 * MEBIBYTE,
  max_bytes_before_external_group_by: 350 * MEBIBYTE,
  max_bytes_before_external_sort: 350 * MEBIBYTE,
} as const;

/** Caches far below the gigabytes that a server would give them; only the first to open the engine can say so. */
export const engineArguments = [
  `--mark_cache_size=${64 * MEBIBYTE}`,
  `--index_mark_cache_size=${16 * MEBIBYTE}`,
  `--uncompressed_cache_size=${16 * MEBIBYTE}`,
] as const;

/** The rows of a result in `JSONEachRow`. */
export function parseRows<T>(text: string): T[] {
  const rows: T[] = [];
  for (let from = 0; from < text.length; ) {
    const end = text.indexOf('\n', from);
    const to = end < 0 ? text.length : end;
    if (to > from) rows.push(JSON.parse(text.slice(from, to)) as T);
    from = to + 1;
  }
  return rows;
}
