import { credibleJump, eventClock, furthest, observe } from '../../core/event-clock.js';
import {
  type Adds,
  type Duration,
  formatDuration,
  givenDuration,
  type Operator,
  type Problem,
  stateful,
} from '../../core/index.js';
import { mapCell, rescale, valueCell } from '../../state/index.js';
import { emptyKeyText, isEmptyKey } from '../keys.js';

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
 * Exact, not probabilistic: a key is remembered from the stream's time at its first record until `retention` later, to the
 * millisecond. The stream's time is the maximum of the event times so far (single absurd ones excepted, see `observe`), so
 * a late copy is found as surely as a prompt one, and a replay decides alike. It holds within one task: equal keys must
 * be in one partition. Beyond `keysMax` the oldest keys are forgotten early, which `evicted` counts.
 *
 * Counters: `duplicates`, `evicted`. Dead letters: `empty-key` for a key that is null, undefined, NaN or ''.
 * Memory: some 100 bytes a key; changelog: some 8 bytes a key and its own length.
 */
export function dedupe<T>({ key, retention, keysMax }: DedupeOptions<T>): Operator<T, Adds<unknown>> {
  const problems = problemsOf(retention, keysMax);
  const bounds = problems.length === 0 ? { ttl: retention, entriesMax: keysMax } : {};
  const jumpMs = credibleJump(retention);
  return stateful({
    kind: 'dedupe',
    settings: { retention: formatDuration(retention), keysMax },
    problems,
    cells: {
      clock: rescale.merged(valueCell({ initial: eventClock() }), furthest),
      seen: rescale.byKey(mapCell<string | number, true>(bounds)),
    },
    open({ clock, seen }, context) {
      const duplicates = context.counter('duplicates');
      const evicted = context.counter('evicted');
      return {
        onRecord(_input, value: T, emit, origin) {
          const id = key(value);
          if (isEmptyKey(id)) {
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
