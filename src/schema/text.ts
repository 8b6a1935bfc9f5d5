import type { Schema } from '../core/schema.js';
import type { JsonOptions as PlainOptions } from './json.js';

/**
 * Text in UTF-8: a payload is the value. Bytes that are not UTF-8 become a dead letter (`not-utf8`).
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
 * Bytes: a payload is the value, such as an image, or what an operator of yours decodes. The value shares its memory with the record,
 * and a dead letter would hold the same bytes. So do not change it.
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
