import { credibleJump, eventClock, furthest, observe } from '../../core/event-clock.js';
import { type Adds, type Duration, formatDuration, type Operator, type Problem, stateful } from '../../core/index.js';
import { mapCell, rescale, valueCell } from '../../state/index.js';
import { emptyKeyText, isEmptyKey, type Key } from '../keys.js';
import { optionProblems, requireOptions } from '../options.js';
import { uniformBy } from './uniform.js';

/** Which share, or how many records, of each part of a stream pass. */
export interface StratifyOptions<T> {
  /** The stratum of a record. */
  readonly stratum: (value: T) => Key | null | undefined;
  /** The sampled key, as in `sample`; required with rates. */
  readonly key?: (value: T) => Key | null | undefined;
  /** The share of keys kept of each stratum. */
  readonly rates?: Readonly<Record<string, number>>;
  /** The share kept of strata that `rates` does not name; 1 by default. */
  readonly otherwise?: number;
  /** Maximum number of records of a stratum per window of event time, whatever its rate. */
  readonly quota?: { readonly records: number; readonly every: Duration };
  /** Maximum number of strata with a quota; required with `quota`. */
  readonly strataMax?: number;
  /** Another seed draws others; 'stratify' by default, so that it does not depend on what `sample` drew before. */
  readonly seed?: string;
}

/** The start of the newest window of a stratum, and what passed in it. */
type Count = readonly [startMs: number, records: number];

/**
 * Samples each stratum at its own rate, with a quota per window of event time, or both. So rare strata are kept completely, and common
 * ones are thinned.
 *
 *   in      --A--A--A--B--A--A--B--|     a window of event time
 *   out     --A--A-----B--------B--|     a quota of two for each of A and B
 *
 * A rate chooses keys as `sample` does. A quota takes the first records of each window; for a uniform sample of a window use
 * `sampleWindows`. A record that arrives after its stratum has begun a later window counts for the later window. A record with an absurd
 * time counts for the current window (see `observe`).
 *
 * Counters: `unsampled` (by rate), `over_quota`. Dead letters: `empty-key`, `empty-stratum`, `too-many-keys` for a stratum above
 * `strataMax`. Memory: two numbers per stratum if there is a quota.
 *
 * @example
 * flights.via('thin', stratify({
 *   stratum: (f) => f.origin,
 *   key: (f) => f.flightId,
 *   rates: { ATL: 0.1, ORD: 0.1 },
 *   quota: { records: 1_000, every: hours(1) },
 *   strataMax: 500,
 * }));
 */
export function stratify<T>(options: StratifyOptions<T>): Operator<T, Adds<unknown>> {
  requireOptions('stratify', options);
  const { stratum, key, rates = {}, otherwise = 1, quota, strataMax = 0, seed = 'stratify' } = options;
  const rateOf = new Map(Object.entries(rates));
  const uniform = uniformBy(seed);
  return stateful({
    kind: 'stratify',
    settings: {
      rates: [...rateOf].map(([name, rate]) => `${name}: ${rate}`).join(', '),
      otherwise,
      quota: quota ? `${quota.records} every ${formatDuration(quota.every)}` : '',
      strataMax,
      seed,
    },
    problems: [...optionProblems('stratify', options), ...problemsOf(options)],
    cells: { counts: mapCell<Key, Count>(), clock: rescale.merged(valueCell({ initial: eventClock() }), furthest) },
    open({ counts, clock }, context) {
      const unsampled = context.counter('unsampled');
      const overQuota = context.counter('over_quota');

      /** Whether the quota of its stratum has room for one more; `undefined` where the stratum has no place. */
      const takes = (of: Key, eventTimeMs: number, { records, every }: NonNullable<typeof quota>) => {
        const now = clock.get();
        const nowMs = observe(now, eventTimeMs, credibleJump(every));
        clock.set(now);
        const startMs = startOf(Math.min(eventTimeMs, nowMs), every);
        const known = counts.get(of);
        if (!known && counts.size >= strataMax) return undefined;
        // A window beyond now began at a time that the clock has given up as absurd.
        const isOpen = known && startMs <= known[0] && known[0] <= startOf(nowMs, every);
        const [fromMs, passed] = isOpen ? known : [startMs, 0];
        if (passed >= records) return false;
        counts.set(of, [fromMs, passed + 1]);
        return true;
      };

      return {
        onRecord(_input, value: T, emit, { eventTimeMs }) {
          const of = stratum(value);
          if (isEmptyKey(of)) return context.deadLetter('empty-stratum', emptyKeyText(of, 'stratum'));
          const rate = rateOf.get(String(of)) ?? otherwise;
          if (rate < 1) {
            const id = key?.(value);
            if (isEmptyKey(id)) return context.deadLetter('empty-key', emptyKeyText(id));
            if (uniform(id as Key) >= rate) return unsampled.add();
          }
          const taken = quota ? takes(of as Key, eventTimeMs, quota) : true;
          if (taken === undefined)
            return context.deadLetter('too-many-keys', `${strataMax} strata are counted already`);
          if (taken) emit(value as never);
          else overQuota.add();
        },
      };
    },
  });
}

const startOf = (timeMs: number, every: number): number => Math.floor(timeMs / every) * every;

function problemsOf<T>({ key, rates = {}, otherwise = 1, quota, strataMax }: StratifyOptions<T>): Problem[] {
  const problems: Problem[] = [];
  const all = [...Object.entries(rates), ['otherwise', otherwise] as const];
  for (const [name, rate] of all)
    if (!(rate >= 0 && rate <= 1))
      problems.push({ message: `the rate of ${name} is ${rate}`, hint: 'give a share between 0 and 1' });
  if (!key && all.some(([, rate]) => rate < 1))
    problems.push({
      message: 'the rates need a key',
      hint: 'give `key`: rates choose keys, such as the id of a record',
    });
  if (quota && !(quota.records >= 1 && quota.every > 0))
    problems.push({
      message: `the quota is ${quota.records} records every ${quota.every} ms`,
      hint: 'give it one record at least and a positive duration',
    });
  if (quota && !((strataMax ?? 0) >= 1))
    problems.push({ message: `strataMax is ${strataMax}`, hint: 'give the expected number of strata, and some more' });
  if (!quota && all.every(([, rate]) => rate >= 1))
    problems.push({ message: 'neither rates nor a quota', hint: 'give one of them' });
  return problems;
}
