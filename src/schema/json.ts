import type { Schema } from '../core/schema.js';

/**
 * Plain JSON in UTF-8 as an event schema: no header, no registry, no check of the value's shape (`validate` does that).
 *
 * @example
 * const Clicks = json<Click>({ subject: 'clicks-value' });
 */
export function json<T>(options: { readonly subject?: string } = {}): Schema<T> {
  return Object.freeze({ format: 'json', subject: options.subject ?? 'json', definition: undefined });
}
