import { type Duration, days, formatDuration } from '../core/duration.js';
import * as is from '../core/option-types.js';
import { defaulted, optional } from '../core/options.js';

/** Options of event time that every source has. */
export const timing = {
  outOfOrdernessMax: optional(
    is.durationFromZero,
    'Maximum out-of-orderness in event time: how far a record may be behind the highest earlier event time (default: 0). The ' +
      'watermark trails by this much; a record further behind is late.',
  ),
  idleTimeout: optional(
    is.durationFromZero,
    'Time without records, in processing time, after which the other inputs of the task no longer wait for this one (default: never). With it the ' +
      "merged order depends on the clock, so sinks outside the ledger's transaction are written after the checkpoint.",
  ),
} as const;

/** Also for sources whose log stores the timestamps of its records, so that every reader gets the same ones. */
export const aheadMax = defaulted(
  is.custom<Duration | 'none'>(
    "duration or `'none'`",
    (value) => value === 'none' || is.durationFromZero.accepts(value),
    (value) => (value === 'none' ? value : formatDuration(value)),
  ),
  days(1),
  "How far an event time may be ahead of the record's timestamp in the log; a record further ahead goes to the dead letters " +
    '(reason `event-time`), as does a time in seconds. Use `none` for schedules and forecasts.',
);
