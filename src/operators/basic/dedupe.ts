import { credibleJump, eventClock, furthest, observe } from '../../core/event-clock.js';
import {
  type Adds,
  type Duration,
  formatDuration,
  givenDuration,
  millis,
  type Operator,
  type Problem,
  stateful,
} from '../../core/index.js';
import { rescale, setCell, valueCell } from '../../state/index.js';
import { emptyKeyText, isEmptyKey, isKey } from '../keys.js';
import { optionProblems } from '../options.js';

/** What makes two records the same for `dedupe`, and how long that is remembered. */
export interface DedupeOptions<T> {
  /** The identity of a record: a string or a number. */
  readonly key: (value: T) => string | number | null | undefined;
  /** How long a key is kept, in event time. */
  readonly retention: Duration;
  /** Maximum number of keys; the oldest are forgotten first. */
  readonly keysMax: number;
}

/**
 * Drops records whose key was seen before.
 *
 * @example
 * flights.via('dedupe', dedupe({ key: (flight) => flight.flightId, retention: hours(24), keysMax: 5_000_000 }));
 *
 * It is exact, not probabilistic. A key is kept for `retention`, to the millisecond, from the stream time of its first record. Stream
 * time is the maximum event time so far, without single absurd times (see `observe`). So late copies are found too, and a replay gives
 * the same result. Equal keys must be in one partition. With more than `keysMax` keys the oldest are forgotten early, and counted as
 * `evicted`.
 *
 * Counters: `duplicates`, `evicted`. Dead letters: `empty-key` for a key that is null, undefined, NaN, '', or neither text nor number.
 * Memory: about 16 bytes per key (up to 21 below two fifths of `keysMax`) and the key itself: 4 bytes for a 32-bit integer, 8 for another
 * number, 16 for a UUID in lower case, or the characters of another text.
 * Changelog: 5 bytes and the key.
 */
export function dedupe<T>(options: DedupeOptions<T>): Operator<T, Adds<unknown>> {
  const { key, retention, keysMax } = options;
  const problems = [...optionProblems('dedupe', options), ...problemsOf(retention, keysMax)];
  const bounds = problems.length === 0 ? { ttl: retention, entriesMax: keysMax } : { ttl: millis(1), entriesMax: 1 };
  const jumpMs = credibleJump(retention);
  return stateful({
    kind: 'dedupe',
    settings: { retention: formatDuration(retention), keysMax },
    problems,
    cells: {
      clock: rescale.merged(valueCell({ initial: eventClock() }), furthest),
      seen: rescale.byKey(setCell<string | number>(bounds)),
    },
    open({ clock, seen }, context) {
      const duplicates = context.counter('duplicates');
      const evicted = context.counter('evicted');
      return {
        onRecord(_input, value: T, emit, origin) {
          const id = key(value);
          if (isEmptyKey(id) || !isKey(id)) {
            context.deadLetter('empty-key', emptyKeyText(id));
            return;
          }
          const now = clock.get();
          const timeMs = observe(now, origin.eventTimeMs, jumpMs);
          clock.set(now);
          seen.expire(now.nowMs);
          if (seen.has(id)) {
            duplicates.add();
            return;
          }
          const before = seen.evicted;
          seen.set(id, true, timeMs);
          if (seen.evicted > before) evicted.add(seen.evicted - before);
          emit(value as never);
        },
      };
    },
  });
}

function problemsOf(retention: number, keysMax: number): Problem[] {
  const problems: Problem[] = [];
  if (!(retention > 0))
    problems.push({
      message: `the retention is ${givenDuration(retention)}`,
      hint: 'give it a positive duration, such as hours(24)',
    });
  if (!(keysMax >= 1))
    problems.push({
      message: `keysMax is ${keysMax}`,
      hint: 'give it the number of keys that come within the retention, and some more',
    });
  return problems;
}
