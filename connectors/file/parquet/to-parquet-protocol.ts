import type { Columns } from './packed-rows.js';

// What conversions ask of their thread: `file` says which conversion it is about.

type Bytes = Uint8Array<ArrayBuffer>;
interface OfFile {
  readonly file: number;
}

export interface Converting {
  begin: {
    readonly ask: OfFile & { readonly columns: Columns; readonly groupRows: number | undefined };
    readonly answer: undefined;
  };
  /** The bytes of the row groups that the rows complete. */
  push: { readonly ask: OfFile & { readonly packed: Bytes }; readonly answer: Bytes };
  /** The rest of the file. */
  end: { readonly ask: OfFile; readonly answer: Bytes };
  /** The file is not wanted any more. */
  drop: { readonly ask: OfFile; readonly answer: undefined };
}
