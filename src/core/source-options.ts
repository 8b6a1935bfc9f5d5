import * as is from './option-types.js';
import { optional } from './options.js';

/** What every source may be told of its time. */
export const timing = {
  disorderMax: optional(
    is.duration,
    'How far (event time) a record may trail the latest one before it; not at all by default.',
  ),
  idleMax: optional(
    is.duration,
    'How long (processing time) the other inputs of a task wait while this one brings nothing; for ever by default.',
  ),
} as const;
