import * as is from '../core/option-types.js';
import { optional } from '../core/options.js';

/** What every source may be told of its time. */
export const timing = {
  outOfOrdernessMax: optional(
    is.durationFromZero,
    'How far (event time) a record may trail the latest one before it; not at all by default. Windows and timers wait for as ' +
      'long; what comes later still is late.',
  ),
  idleTimeout: optional(
    is.durationFromZero,
    'How long (processing time) the other inputs of a task wait while this one brings nothing; for ever by default. With it the ' +
      "merged order depends on the clock, so sinks outside the ledger's transaction are written after the checkpoint.",
  ),
} as const;
