import { MillraceError } from '../core/errors.js';

/** The error for a value that a schema has no room for: the same value fails at every try. */
export const unrepresentableValue = (message: string, subject: string, hint: string, cause?: unknown): MillraceError =>
  new MillraceError('schema', message, { where: subject, hint, permanent: true, cause });

/** The hint where a schema says what values are. */
export const AS_THE_SCHEMA = 'the fields and types of what is emitted must be those of the schema';
