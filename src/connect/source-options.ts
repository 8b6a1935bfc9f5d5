import { type Duration, days, formatDuration } from '../core/duration.js';
import * as is from '../core/option-types.js';
import { defaulted, optional } from '../core/options.js';

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

/** What a source may be told besides if the timestamps of its records lie in its log, so that every reader finds the same ones. */
export const aheadMax = defaulted(
  is.custom<Duration | 'none'>(
    "duration or `'none'`",
    (value) => value === 'none' || is.durationFromZero.accepts(value),
    (value) => (value === 'none' ? value : formatDuration(value)),
  ),
  days(1),
  "How far an event time may lie ahead of the log's timestamp of the record; one that lies further ahead goes to the dead letters " +
    '(reason `event-time`), as one in seconds does. `none` for schedules and forecasts.',
);
