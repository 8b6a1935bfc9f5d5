// The messages between the reader of a Parquet file and its decoding thread; the reader has the file.

/** Each call is answered with the next event. */
export interface Decoding {
  /** Opens a file. */
  open: {
    readonly ask: { readonly path: string; readonly size: number; readonly from: number };
    readonly answer: Next;
  };
  /** The bytes for a `read`; undefined if they could not be read, for which the reader reports the error. */
  bytes: {
    readonly ask: { readonly id: number; readonly bytes: Uint8Array<ArrayBuffer> | undefined };
    readonly answer: Next;
  };
  /** There is room for another row group. */
  more: { readonly ask: undefined; readonly answer: Next };
}

export type Next =
  | { readonly kind: 'read'; readonly id: number; readonly start: number; readonly end: number }
  | { readonly kind: 'group'; readonly group: Group }
  | { readonly kind: 'end' };

/** A row group as columns, in forms that are cheap to transfer between threads. */
export interface Group {
  /** The number of its first row in the file. */
  readonly first: number;
  readonly rows: number;
  readonly columns: readonly Column[];
}

export type Column = { readonly name: string } & Cells;

/** The cells of a column, one per row. */
export type Cells =
  /** NaN and infinities are `null`, as in JSON. */
  | { readonly kind: 'numbers'; readonly values: Float64Array<ArrayBuffer> }
  /** 0 and 1; 2 is `null`. */
  | { readonly kind: 'booleans'; readonly values: Uint8Array<ArrayBuffer> }
  /** Milliseconds since 1970, read as ISO 8601 strings; NaN is `null`. */
  | { readonly kind: 'times'; readonly values: Float64Array<ArrayBuffer> }
  /** Indexes into `texts`; -1 is `null`. */
  | { readonly kind: 'texts'; readonly indices: Int32Array<ArrayBuffer>; readonly texts: readonly string[] }
  /** The same for JSON texts: lists, structures, and columns that mix numbers and texts. `depth` is the largest nesting depth. */
  | {
      readonly kind: 'json';
      readonly indices: Int32Array<ArrayBuffer>;
      readonly texts: readonly string[];
      readonly depth: number;
    };

/** The buffers of a group that are transferred instead of copied. */
export const buffersOf = ({ columns }: Group): ArrayBuffer[] => [
  ...new Set(columns.map((column) => ('indices' in column ? column.indices : column.values).buffer)),
];
