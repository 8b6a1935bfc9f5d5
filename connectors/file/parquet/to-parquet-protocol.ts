import type { Columns } from './packed-rows.js';

// The messages to the conversion thread; `file` identifies the conversion.

type Bytes = Uint8Array<ArrayBuffer>;
interface OfFile {
  readonly file: number;
}

export interface Converting {
  begin: {
    readonly ask: OfFile & { readonly columns: Columns; readonly groupRows: number | undefined };
    readonly answer: undefined;
  };
  /** Returns the bytes of the row groups that the rows complete. */
  push: { readonly ask: OfFile & { readonly packed: Bytes }; readonly answer: Bytes };
  /** Returns the rest of the file. */
  end: { readonly ask: OfFile; readonly answer: Bytes };
  /** Discards the file. */
  drop: { readonly ask: OfFile; readonly answer: undefined };
}
