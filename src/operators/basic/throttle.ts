import { credibleJump, eventClock, furthest, observe } from '../../core/event-clock.js';
import { type Adds, type Duration, formatDuration, type Operator, type Problem, stateful } from '../../core/index.js';
import { mapCell, rescale, valueCell } from '../../state/index.js';
import { emptyKeyText, isEmptyKey, type Key, keysMaxProblems } from '../keys.js';
import { optionProblems } from '../options.js';

/** How many records of a key `throttle` lets through in a time. */
export interface ThrottleOptions<T> {
  /** The key whose records are counted. */
  readonly key: (value: T) => Key | null | undefined;
  /** How many records of a key may pass per `per` of event time. */
  readonly records: number;
  /** The event time in which `records` may pass. */
  readonly per: Duration;
  /** How many records may pass at once after a pause (default: `records`). */
  readonly burst?: number;
  /** What to do with the others: send them to the dead letters (default), or only count them. */
  readonly excess?: 'dead-letter' | 'drop';
  /** Maximum number of keys; the least recently used one is forgotten, give or take 256 keys. */
  readonly keysMax: number;
}

/**
 * Limits the rate of records per key in event time, with bursts (a token bucket). Records above the rate go to the dead letters.
 *
 *   in   --a1-a2-a3-a4--------a5--|     two in 10 s, bursts of 2
 *   out  --a1-a2--------------a5--|
 *
 * It uses stream time, the maximum event time so far (see `observe`). So a replay gives the same result, and a backlog that is read fast is
 * not throttled more. The arithmetic is exact: a record takes `per` from the bucket, and a millisecond returns `records`. A key is
 * forgotten when its bucket is full, which does not change the result.
 *
 * Counters: `throttled`, `evicted` (keys beyond `keysMax`). Dead letters: `rate-exceeded`, `empty-key`.
 * Memory: some 100 bytes per key whose bucket is not full.
 * Source: the generic cell rate algorithm as a leaky bucket of continuous state, ITU-T I.371.
 *
 * @example
 * events.via('fair', throttle({ key: (e) => e.device, records: 100, per: minutes(1), keysMax: 1_000_000 }));
 */
export function throttle<T>(options: ThrottleOptions<T>): Operator<T, Adds<unknown>> {
  const { key, records, per, burst = records, excess = 'dead-letter', keysMax } = options;
  const problems = [...optionProblems('throttle', options), ...problemsOf(records, per, burst, keysMax)];
  const most = burst * per;
  const fullMs = most / records;
  const bounds = problems.length === 0 ? { ttl: Math.ceil(fullMs) as Duration, entriesMax: keysMax } : {};
  const jumpMs = credibleJump(fullMs);
  return stateful({
    kind: 'throttle',
    settings: { records, per: formatDuration(per), burst, excess, keysMax },
    problems,
    cells: {
      clock: rescale.merged(valueCell({ initial: eventClock() }), furthest),
      /** Of a key: when a record passed last, and what its bucket lacked then. */
      lacking: rescale.byKey(mapCell<Key, readonly [atMs: number, lack: number]>(bounds)),
    },
    open({ clock, lacking }, context) {
      const throttled = context.counter('throttled');
      const evicted = context.counter('evicted');
      return {
        onRecord(_input, value: T, emit, origin) {
          const id = key(value);
          if (isEmptyKey(id)) return context.deadLetter('empty-key', emptyKeyText(id));
          const now = clock.get();
          const nowMs = observe(now, origin.eventTimeMs, jumpMs);
          clock.set(now);
          lacking.expire(now.nowMs);
          const [atMs, lacked] = lacking.get(id as Key) ?? [nowMs, 0];
          const left = lacked - (nowMs - atMs) * records;
          // No bucket lacks more than all: that was at a time that the clock has given up as absurd.
          const lack = (left > most ? 0 : Math.max(0, left)) + per;
          if (lack > most) {
            throttled.add();
            if (excess === 'dead-letter')
              context.deadLetter(
                'rate-exceeded',
                `more than ${records} in ${formatDuration(per)}, and bursts of ${burst}`,
              );
            return;
          }
          const before = lacking.evicted;
          lacking.set(id as Key, [nowMs, lack], nowMs);
          if (lacking.evicted > before) evicted.add(lacking.evicted - before);
          emit(value as never);
        },
      };
    },
  });
}

function problemsOf(records: number, per: number, burst: number, keysMax: number): Problem[] {
  const problems: Problem[] = [];
  if (!(records > 0 && per > 0))
    problems.push({ message: `the limit is ${records} records per ${per} ms`, hint: 'give two positive numbers' });
  if (!(burst >= 1))
    problems.push({ message: `burst is ${burst}`, hint: 'give a number from 1: below it no record passes' });
  return [...problems, ...keysMaxProblems(keysMax)];
}
