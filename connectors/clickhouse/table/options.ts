import type { Duration } from '../../../src/core/duration.js';
import type { Schema } from '../../../src/core/schema.js';

// What the driver is told of a table.

/** When a table's rows are deleted, or moved to other storage. */
export interface TableTtl {
  /** The column of a time from which it counts. */
  readonly since: string;
  readonly after: Duration;
  /** Deleted where this is missing. */
  readonly to?: { readonly disk: string } | { readonly volume: string } | undefined;
}

/** A query with a name, kept beside the table of a sink. */
export interface TableView {
  readonly name: string;
  readonly as: string;
  /** How often its result is stored; where it is missing the query runs when somebody reads. */
  readonly every?: Duration | undefined;
  /** What the stored result is sorted by. */
  readonly orderBy: readonly string[];
}

/** Options of a sink that inserts rows into a table. */
export interface TableSinkOptions {
  readonly table: string;
  /** Column names and their ClickHouse types; fields that are not named are not written. */
  readonly columns: Readonly<Record<string, string>>;
  /** What the rows are: its fields are columns too, of the types that follow from it. */
  readonly schema?: Schema<unknown> | undefined;
  /** Leading columns of the sorting key, before the row's identity. */
  readonly orderBy: readonly string[];
  /** A column that the table itself fills with the time of the insert. */
  readonly insertedAt?: string | undefined;
  /** What a run changes about a table that is there: nothing, columns that are missing, or types too. */
  readonly migrate?: 'stop' | 'add' | 'widen' | undefined;
  readonly partitionBy?: string | undefined;
  readonly ttl?: TableTtl | undefined;
  readonly storagePolicy?: string | undefined;
  readonly views?: readonly TableView[] | undefined;
}

/** Options of a sink that keeps the newest row of a key in a table. */
export interface UpsertTableOptions {
  readonly table: string;
  /** Column names and their ClickHouse types, that of the key among them. */
  readonly columns: Readonly<Record<string, string>>;
  /** The column that holds the key of a change. */
  readonly key: string;
  /** Leading columns of the sorting key, before that of the key. */
  readonly orderBy: readonly string[];
  readonly migrate?: TableSinkOptions['migrate'];
}
