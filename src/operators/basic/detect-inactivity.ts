import {
  type Duration,
  formatDuration,
  givenDuration,
  type Operator,
  type Problem,
  stateful,
} from '../../core/index.js';
import { ALL_TIMERS, mapCell, timerCell, valueCell } from '../../state/index.js';
import { emptyKeyText, isEmptyKey, type Key, keysMaxProblems } from '../keys.js';
import { optionProblems } from '../options.js';

/** When a key counts as inactive, and how many keys are followed. */
export interface DetectInactivityOptions<T, K extends Key> {
  /** The key of a record; null, undefined, NaN and '' send the record to the dead letters. */
  readonly key: (value: T) => K | null | undefined;
  /** How long a key may have no record, in processing time, before it counts as inactive. */
  readonly inactivityTimeout: Duration;
  /** How often inactivity is checked (default: a tenth of `inactivityTimeout`). */
  readonly processingTimeInterval?: Duration;
  /** Maximum number of active keys. */
  readonly keysMax: number;
}

/** Whether a key is there, as a change: it has come (back), or it was silent for too long. */
export interface Presence<K extends Key> {
  readonly key: K;
  readonly present: boolean;
  /** Event time of its last record. */
  readonly lastMs: number;
}

/** A present key: event time of its last record, the number of the tick before it, and when that was followed by the next. */
type Known = [lastMs: number, tick: number, heardMs: number];

/**
 * Detects inactive keys. It emits `present: true` at the first record of a key, and `present: false` after the key had no record for
 * `inactivityTimeout` of processing time.
 *
 *   in   --a--a-----------a--|
 *   out  --a+--------a-----a+|     + present, - gone
 *
 * @example
 * readings.via('devices', detectInactivity({ key: (r) => r.device, inactivityTimeout: minutes(5), keysMax: 100_000 }));
 *
 * Event time cannot show this, because it stands still without records. The clock is read every `processingTimeInterval`: a key becomes
 * inactive after `inactivityTimeout` at the earliest, and two intervals later at the latest. After a pause of the task, one interval
 * passes before a key can become inactive, so that records which were written meanwhile are read first.
 *
 * The output depends on the clock. The checkpoint stores it, so state and all sinks agree.
 * Counters: none. Dead letters: `too-many-keys`, `empty-key`. Equal keys must be in one partition.
 * Memory: some 150 bytes per present key.
 */
export function detectInactivity<T, const K extends Key>(
  options: DetectInactivityOptions<T, K>,
): Operator<T, Presence<K>> {
  const {
    key,
    inactivityTimeout,
    processingTimeInterval = Math.ceil(inactivityTimeout / 10) as Duration,
    keysMax,
  } = options;
  const problems = [
    ...optionProblems('detectInactivity', options),
    ...problemsOf(inactivityTimeout, processingTimeInterval, keysMax),
  ];
  const cells = {
    known: mapCell<K, Known>(),
    /** Keys that were heard since the last tick, in their order. */
    heard: valueCell<K[]>({ initial: [] }),
    silent: timerCell<K>({ timersMax: ALL_TIMERS }),
    tick: valueCell({ initial: 0 }),
  };
  return stateful<T, Presence<K>, typeof cells>({
    kind: 'detectInactivity',
    settings: {
      inactivityTimeout: formatDuration(inactivityTimeout),
      processingTimeInterval: formatDuration(processingTimeInterval),
      keysMax,
    },
    problems,
    cells,
    processingTimeInterval,
    open: ({ known, heard, silent, tick }, context) => ({
      onRecord(_input, value, emit, { eventTimeMs }) {
        const id = key(value);
        if (isEmptyKey(id)) return context.deadLetter('empty-key', emptyKeyText(id));
        const of = known.get(id);
        if (!of && known.size >= keysMax)
          return context.deadLetter('too-many-keys', `${keysMax} keys are present already`);
        const [lastMs, at, heardMs] = of ?? [eventTimeMs, -1, Number.NaN];
        known.set(id, [Math.max(lastMs, eventTimeMs), tick.get(), heardMs]);
        if (at !== tick.get()) {
          const ids = heard.get();
          ids.push(id);
          heard.set(ids);
        }
        if (!of) emit({ key: id, present: true, lastMs: eventTimeMs } as never);
      },

      onProcessingTime(clockMs, emit) {
        for (const id of heard.get()) {
          const [lastMs, at, before] = known.get(id) as Known;
          known.set(id, [lastMs, at, clockMs]);
          if (Number.isNaN(before)) silent.add(clockMs + inactivityTimeout, id);
        }
        if (heard.get().length > 0) heard.set([]);
        tick.set(tick.get() + 1);
        silent.takeDue(clockMs, (id, dueMs) => {
          const [lastMs, , heardMs] = known.get(id) as Known;
          if (heardMs + inactivityTimeout > dueMs) {
            silent.add(heardMs + inactivityTimeout, id);
            return;
          }
          known.delete(id);
          emit({ key: id, present: false, lastMs } as never);
        });
      },

      query(id) {
        const of = known.get(id as K) ?? known.get(Number(id) as K);
        return of && { lastMs: of[0], heardMs: Number.isNaN(of[2]) ? null : of[2] };
      },
    }),
  });
}

function problemsOf(inactivityTimeout: number, processingTimeInterval: number, keysMax: number): Problem[] {
  const problems: Problem[] = [];
  if (!(inactivityTimeout > 0))
    problems.push({
      message: `inactivityTimeout is ${givenDuration(inactivityTimeout)}`,
      hint: 'give it a duration, such as minutes(5)',
    });
  if (!(processingTimeInterval > 0))
    problems.push({
      message: `processingTimeInterval is ${givenDuration(processingTimeInterval)}`,
      hint: 'give it a duration, or leave it out',
    });
  return [...problems, ...keysMaxProblems(keysMax)];
}
