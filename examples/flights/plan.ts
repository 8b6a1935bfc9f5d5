import { assert } from '../../src/core/errors.js';
import { type CorruptionKind, corruptionOf, corruptionPicker, detailSalt, noCorruption } from './corruption.js';
import { arrivalSecond, type Flights } from './flights.js';
import { delayRangeMinutes, type Side } from './names.js';
import { integer } from './random.js';

// A log's order is one number a record: seconds, then flight, then kind. 24 + 22 + 4 bits stay below 2^53, and sorting
// plain numbers in a typed array is ten times faster than sorting places by a comparison.
const kindsMax = 16;
const flightsMax = 2 ** 22;
const startSecond = Date.UTC(2000, 11, 31) / 1_000;

/** One record to be written. */
export interface Entry {
  /** Moment at which it stands in the log, UTC seconds since 1970. */
  readonly second: number;
  readonly flight: number;
  /** The kind of corruption that it is, counted from 1; 0 for a flight's own record. */
  readonly kind: number;
}

/** What is written into one topic, in order: 8 bytes a record. */
export interface TopicPlan {
  readonly side: Side;
  readonly kinds: readonly CorruptionKind[];
  readonly order: Float64Array;
  /** Records of each kind; place 0 counts the flights' own, changed ones included. */
  readonly counts: readonly number[];
}

export interface Plan {
  readonly departed: TopicPlan;
  readonly arrived: TopicPlan;
  /** Flights whose delay in the data itself is absurd: their arrival is a dead letter. */
  readonly absurdDelays: number;
}

export const isAbsurd = (delayMinutes: number): boolean =>
  delayMinutes < delayRangeMinutes.min || delayMinutes > delayRangeMinutes.max;

/**
 * Decides, without writing anything, what stands in both topics and in which order. The same flights, seed and corruption
 * give the same plan, so a loader that was stopped goes on by counting.
 *
 * @example
 * const plan = planLoad(flights, { seed: 1, clean: false });
 * entryAt(plan.departed, 0); // { second: 978307260, flight: 12, kind: 0 }
 */
export function planLoad(flights: Flights, { seed, clean }: { readonly seed: number; readonly clean: boolean }): Plan {
  assert(flights.size <= flightsMax, `at most ${flightsMax} flights fit the plan`);
  const corruption = clean ? noCorruption : corruptionOf;
  let absurdDelays = 0;
  for (const delay of flights.delayMinutes) if (isAbsurd(delay)) absurdDelays++;
  return {
    departed: planTopic(
      'departed',
      corruption.departed,
      flights.size,
      seed,
      (id) => (flights.departedMinute[id] ?? 0) * 60,
    ),
    arrived: planTopic('arrived', corruption.arrived, flights.size, seed, (id) => arrivalSecond(flights, id)),
    absurdDelays,
  };
}

/** Plans one topic; exported for tests that bring corruption of their own. */
export function planTopic(
  side: Side,
  kinds: readonly CorruptionKind[],
  size: number,
  seed: number,
  secondOf: (flight: number) => number,
): TopicPlan {
  assert(kinds.length < kindsMax, `at most ${kindsMax - 1} kinds of corruption fit the plan`);
  const pick = corruptionPicker(kinds, side, seed);
  const counts = new Array<number>(kinds.length + 1).fill(0);
  const keys: Float64Array = new Float64Array(size * 2);
  let length = 0;
  for (let flight = 0; flight < size; flight++) {
    const second = secondOf(flight);
    const picked = pick(flight);
    const kind = kinds[picked - 1];
    keys[length++] = keyOf(second, flight, kind?.where === 'in-place' ? picked : 0);
    counts[0] = (counts[0] ?? 0) + 1;
    if (!kind) continue;
    counts[picked] = (counts[picked] ?? 0) + 1;
    if (kind.where === 'in-place') continue;
    const lag = kind.lagMaxSeconds ? integer(seed, detailSalt, flight, 1, kind.lagMaxSeconds) : 0;
    keys[length++] = keyOf(second + lag, flight, picked);
  }
  return { side, kinds, order: keys.slice(0, length).sort(), counts };
}

const keyOf = (second: number, flight: number, kind: number): number =>
  ((second - startSecond) * flightsMax + flight) * kindsMax + kind;

/** Moment at which record `n` stands in the log, in UTC seconds since 1970. */
export const secondAt = (plan: TopicPlan, n: number): number =>
  Math.floor((plan.order[n] ?? 0) / (flightsMax * kindsMax)) + startSecond;

/** Record `n` of a topic. */
export function entryAt(plan: TopicPlan, n: number): Entry {
  const key = plan.order[n] ?? 0;
  const rest = Math.floor(key / kindsMax);
  return { second: secondAt(plan, n), flight: rest % flightsMax, kind: key % kindsMax };
}
