import type { Duration } from '../../../src/core/duration.js';
import type { Schema } from '../../../src/core/schema.js';

// The options of a table as the driver gets them.

/** When a table's rows are deleted, or moved to other storage. */
export interface TableTtl {
  /** The time column from which it counts. */
  readonly since: string;
  readonly after: Duration;
  /** Deleted if missing. */
  readonly to?: { readonly disk: string } | { readonly volume: string } | undefined;
}

/** A named query over the table of a sink. */
export interface TableView {
  readonly name: string;
  readonly as: string;
  /** How often its result is stored; if missing, the query runs at each read. */
  readonly every?: Duration | undefined;
  /** The sorting key of the stored result. */
  readonly orderBy: readonly string[];
}

/** Options of a sink that inserts rows into a table. */
export interface TableSinkOptions {
  readonly table: string;
  /** Column names and their ClickHouse types; other fields are not written. */
  readonly columns: Readonly<Record<string, string>>;
  /** The schema of the rows: its fields become columns as well, with the types that follow from it. */
  readonly schema?: Schema<unknown> | undefined;
  /** Leading columns of the sorting key, before the row's identity. */
  readonly orderBy: readonly string[];
  /** A column that the table itself fills with the time of the insert. */
  readonly insertedAt?: string | undefined;
  /** What a run may change about an existing table: nothing, missing columns, or types as well. */
  readonly migrate?: 'stop' | 'add' | 'widen' | undefined;
  readonly partitionBy?: string | undefined;
  readonly ttl?: TableTtl | undefined;
  readonly storagePolicy?: string | undefined;
  readonly views?: readonly TableView[] | undefined;
}

/** Options of a sink that keeps the newest row of each key in a table. */
export interface UpsertTableOptions {
  readonly table: string;
  /** Column names and their ClickHouse types, including the key. */
  readonly columns: Readonly<Record<string, string>>;
  /** The column with the key of a change. */
  readonly key: string;
  /** Leading columns of the sorting key, before the key. */
  readonly orderBy: readonly string[];
  readonly migrate?: TableSinkOptions['migrate'];
}
