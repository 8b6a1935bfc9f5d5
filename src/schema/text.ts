import type { Schema } from '../core/schema.js';
import type { JsonOptions as PlainOptions } from './json.js';

/**
 * Payloads that are text in UTF-8, as they are.
 *
 * @example
 * const LogLines = text({ subject: 'logs-value' }); // Schema<string>
 */
export const text = ({ subject, bytesMax }: PlainOptions = {}): Schema<string> =>
  Object.freeze({
    format: 'text',
    subject: subject ?? 'text',
    definition: undefined,
    options: Object.freeze({ bytesMax }),
  });

/**
 * Payloads as they are: images, or what a step of yours decodes. A value shares its memory with the record it came from,
 * whose bytes a dead letter would hold: do not change it.
 *
 * @example
 * const Images = bytes({ subject: 'images-value' }); // Schema<Uint8Array>
 */
export const bytes = ({ subject, bytesMax }: PlainOptions = {}): Schema<Uint8Array> =>
  Object.freeze({
    format: 'bytes',
    subject: subject ?? 'bytes',
    definition: undefined,
    options: Object.freeze({ bytesMax }),
  });
