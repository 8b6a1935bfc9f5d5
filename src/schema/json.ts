import type { Schema } from '../core/schema.js';

export interface JsonOptions {
  readonly subject?: string;
  /** Payloads of more bytes are refused as `too-large`; 16 MiB by default. */
  readonly bytesMax?: number;
}

/**
 * Plain JSON in UTF-8 as an event schema: no header, no registry, no check of the value's shape (`validate` does that, or
 * `jsonSchema` instead of this). Nesting ends at 256.
 *
 * @example
 * const Clicks = json<Click>({ subject: 'clicks-value' });
 */
export function json<T>(options: JsonOptions = {}): Schema<T> {
  return plainJson(options, false);
}

/**
 * JSON in lines: each payload is one JSON text that ends in a newline, as `kcat` and files of lines want it. It is read
 * with or without the newline.
 *
 * @example
 * const Clicks = ndjson<Click>({ subject: 'clicks-value' });
 */
export function ndjson<T>(options: JsonOptions = {}): Schema<T> {
  return plainJson(options, true);
}

const plainJson = <T>({ subject, bytesMax }: JsonOptions, newline: boolean): Schema<T> =>
  Object.freeze({
    format: 'json',
    subject: subject ?? 'json',
    definition: undefined,
    options: Object.freeze({ newline, bytesMax }),
  });
