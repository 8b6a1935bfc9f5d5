/** The type of a value, independent of formats and stores. */
export type Shape =
  | { readonly kind: 'boolean' | 'text' | 'bytes' }
  /** One of some names. A later version may have more. */
  | { readonly kind: 'word' }
  | { readonly kind: 'integer'; readonly bits: 32 | 64; readonly signed: boolean }
  | { readonly kind: 'float'; readonly bits: 32 | 64 }
  /** A decimal number as text. */
  | { readonly kind: 'decimal'; readonly precision: number; readonly scale: number }
  | { readonly kind: 'time'; readonly unit: 'millis' | 'micros' }
  /** A day: a number of days if `counted`, otherwise a `Date`. */
  | { readonly kind: 'day'; readonly counted: boolean }
  | { readonly kind: 'list'; readonly items: Shape }
  /** Values by name; the name of an `integer` is its digits. */
  | { readonly kind: 'map'; readonly keys: Shape; readonly values: Shape }
  | { readonly kind: 'record'; readonly fields: readonly Field[] }
  | { readonly kind: 'nullable'; readonly inner: Shape }
  /** Any other value, stored as JSON: a choice of several types, a recursive type, an unknown type. */
  | { readonly kind: 'json' };

export interface Field {
  readonly name: string;
  readonly shape: Shape;
  /** The default of the field, in the JSON of the schema. */
  readonly default?: unknown;
}

export const JSON_VALUE: Shape = { kind: 'json' };

export const orNull = (shape: Shape): Shape => (shape.kind === 'nullable' ? shape : { kind: 'nullable', inner: shape });
