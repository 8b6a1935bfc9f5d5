/** How values of a column's type are held to it, and written. */
export interface ValueType {
  /** Whether the type holds the value, and nothing else would be read back. */
  fits(value: unknown): boolean;
  /** A value that fits, as it stands in a row of JSON. Rows are texts of bytes: one character (of Latin-1) is one byte. */
  write(value: unknown): string;
}

const NOT_ASCII = /[\u0080-\uffff]/;

/** A piece of JSON as a text of bytes. */
export const asBytes = (json: string): string => (NOT_ASCII.test(json) ? Buffer.from(json).toString('latin1') : json);

/** Of ASCII, and nothing in it that JSON escapes. */
const PLAIN = /^[ !#-[\]-~]*$/;

/** A text in quotes, as a text of bytes. */
export const quotedText = (text: string): string => (PLAIN.test(text) ? `"${text}"` : asBytes(JSON.stringify(text)));
