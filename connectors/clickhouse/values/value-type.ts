/** How values of a column's type are checked and written. */
export interface ValueType {
  /** Whether the type stores the value so that it is read back unchanged. */
  fits(value: unknown): boolean;
  /** Writes a value that fits as part of a JSON row. Rows are strings of bytes: one Latin-1 character is one byte. */
  write(value: unknown): string;
}

const NOT_ASCII = /[\u0080-\uffff]/;

/** A piece of JSON as a string of bytes. */
export const asBytes = (json: string): string => (NOT_ASCII.test(json) ? Buffer.from(json).toString('latin1') : json);

/** ASCII without characters that JSON escapes. */
const PLAIN = /^[ !#-[\]-~]*$/;

/** A quoted text as a string of bytes. */
export const quotedText = (text: string): string => (PLAIN.test(text) ? `"${text}"` : asBytes(JSON.stringify(text)));
