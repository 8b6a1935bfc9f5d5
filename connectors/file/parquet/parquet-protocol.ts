// What the reader of a Parquet file asks of its thread. The thread decodes, the reader has the file.

/** Each call is answered with what comes next. */
export interface Decoding {
  /** Begins with a file. */
  open: {
    readonly ask: { readonly path: string; readonly size: number; readonly from: number };
    readonly answer: Next;
  };
  /** Gives the bytes of a `read`; none where they could not be read: why is the reader's business. */
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
