/** What values of a type are, in terms that every format and every store has. */
export type Shape =
  | { readonly kind: 'boolean' | 'text' | 'bytes' }
  /** One of some names; an open set, since a later version may have more. */
  | { readonly kind: 'word' }
  | { readonly kind: 'integer'; readonly bits: 32 | 64; readonly signed: boolean }
  | { readonly kind: 'float'; readonly bits: 32 | 64 }
  /** A decimal number as text. */
  | { readonly kind: 'decimal'; readonly precision: number; readonly scale: number }
  | { readonly kind: 'time'; readonly unit: 'millis' | 'micros' }
  /** A day; `counted` where it is a number of days, otherwise a `Date`. */
  | { readonly kind: 'day'; readonly counted: boolean }
  | { readonly kind: 'list'; readonly items: Shape }
  /** By names; those of an `integer` are its digits. */
  | { readonly kind: 'map'; readonly keys: Shape; readonly values: Shape }
  | { readonly kind: 'record'; readonly fields: readonly Field[] }
  | { readonly kind: 'nullable'; readonly inner: Shape }
  /** Something that has no more than its JSON in common: a choice of several types, what contains itself, anything. */
  | { readonly kind: 'json' };

export interface Field {
  readonly name: string;
  readonly shape: Shape;
  /** What stands for the field where a writer does not have it, in the JSON of the schema. */
  readonly default?: unknown;
}

export const JSON_VALUE: Shape = { kind: 'json' };

export const orNull = (shape: Shape): Shape => (shape.kind === 'nullable' ? shape : { kind: 'nullable', inner: shape });
