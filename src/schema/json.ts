import type { Schema } from '../core/schema.js';

export interface JsonOptions {
  readonly subject?: string;
  /** Payloads of more bytes are refused as `too-large`; 16 MiB by default. */
  readonly bytesMax?: number;
}

/**
 * Plain JSON in UTF-8: no header, no registry, and no check of the fields and types of a value. To check them, use `validate` or
 * `jsonSchema`. A payload that is not JSON, or is nested deeper than 256, becomes a dead letter.
 *
 * @example
 * const Clicks = json<Click>({ subject: 'clicks-value' });
 */
export function json<T>(options: JsonOptions = {}): Schema<T> {
  return plainJson(options, false);
}

/**
 * JSON lines: each payload is one JSON text that ends in a newline, as `kcat` and `.ndjson` files have it. It is read with or
 * without the newline.
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
