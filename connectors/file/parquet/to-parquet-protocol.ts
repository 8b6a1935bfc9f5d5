import type { ErrorCode } from '../../../src/core/errors.js';
import type { Columns } from './packed-rows.js';

// What conversions and their thread say to each other. Each word of a conversion is answered once, in their order.

export type ToThread = { readonly id: number } & (
  | { readonly kind: 'begin'; readonly columns: Columns; readonly groupRows: number | undefined }
  | { readonly kind: 'push'; readonly packed: Uint8Array<ArrayBuffer> }
  /** Is the last one. */
  | { readonly kind: 'end' }
  /** Likewise: the file is not wanted any more. */
  | { readonly kind: 'drop' }
);

export type FromThread =
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array<ArrayBuffer> }
  | {
      readonly kind: 'failed';
      readonly code: ErrorCode;
      readonly message: string;
      readonly hint: string | undefined;
      readonly permanent: boolean;
    };
