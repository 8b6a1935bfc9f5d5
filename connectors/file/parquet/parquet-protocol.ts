// What the reader of a Parquet file and its thread say to each other. The thread decodes, the reader has the file.

/** Words of the memory that both see. */
export const shared = { words: 1, progress: 0 } as const;

export type ToThread =
  | { readonly kind: 'open'; readonly path: string; readonly size: number; readonly from: number }
  | { readonly kind: 'bytes'; readonly id: number; readonly bytes: Uint8Array<ArrayBuffer> }
  /** The file could not be read: why is the reader's business. */
  | { readonly kind: 'no-bytes'; readonly id: number }
  /** There is room for another row group. */
  | { readonly kind: 'more' };

export type FromThread =
  | { readonly kind: 'read'; readonly id: number; readonly start: number; readonly end: number }
  | { readonly kind: 'group'; readonly group: Group }
  | { readonly kind: 'end' }
  | { readonly kind: 'failed'; readonly message: string; readonly hint: string | undefined };

/** A row group by columns, in forms that go from thread to thread at little cost. */
export interface Group {
  /** The number of its first row in the file. */
  readonly first: number;
  readonly rows: number;
  readonly columns: readonly Column[];
}

export type Column = { readonly name: string } & Cells;

/** The cells of a column, one a row. */
export type Cells =
  /** NaN and infinities are `null`, as JSON has it. */
  | { readonly kind: 'numbers'; readonly values: Float64Array<ArrayBuffer> }
  /** 0 and 1; 2 is `null`. */
  | { readonly kind: 'booleans'; readonly values: Uint8Array<ArrayBuffer> }
  /** Milliseconds since 1970 that are texts of ISO 8601; NaN is `null`. */
  | { readonly kind: 'times'; readonly values: Float64Array<ArrayBuffer> }
  /** Places in `texts`; -1 is `null`. */
  | { readonly kind: 'texts'; readonly places: Int32Array<ArrayBuffer>; readonly texts: readonly string[] }
  /** Likewise, of JSON: lists, structures, and numbers beside texts. `depth` is how deep the deepest of them is nested. */
  | {
      readonly kind: 'json';
      readonly places: Int32Array<ArrayBuffer>;
      readonly texts: readonly string[];
      readonly depth: number;
    };

/** What of a group changes hands instead of being copied. */
export const buffersOf = ({ columns }: Group): ArrayBuffer[] => [
  ...new Set(columns.map((column) => ('places' in column ? column.places : column.values).buffer)),
];
