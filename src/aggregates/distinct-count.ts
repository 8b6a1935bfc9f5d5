import { type Aggregate, isMissing, ofValue } from './aggregate.js';
import { estimate, hash52, note, noteAll, REGISTERS } from './hyper-log-log.js';

/** A sorted list of hashes while they are few, then registers. It depends on the set of values only, not on their order. */
type Seen = number[] | Uint8Array;

/** Up to this number of distinct values the count is exact. */
export const EXACT_MAX = 512;

/** The standard error of an estimate, as a share of it. */
export const STANDARD_ERROR = 1.04 / Math.sqrt(REGISTERS);

/**
 * The number of distinct values. Null, undefined and NaN are ignored. The number 1 and the string '1' are distinct.
 *
 * @example
 * const aggregates = { tails: distinctCount((flight: { tailNumber: string | null }) => flight.tailNumber) };
 *
 * Exact up to 512 values (the probability of a hash collision is 1 in 10^10); above that an estimate with a standard error of 1.6 %.
 * Cannot retract. Memory: 9 bytes per value up to 512, then 4 kB.
 * Source: HyperLogLog with 4,096 registers (Flajolet et al., 2007), estimator of Ertl (2017).
 */
export function distinctCount<In>(
  of: (value: In) => string | number | boolean | null | undefined,
): Aggregate<In, number> {
  return ofValue<In, Seen, number>('distinct-count', 'distinct count', {
    create: () => [],
    add(seen, value) {
      const of_ = of(value);
      return isMissing(of_) ? seen : noted(seen, hash52(of_));
    },
    merge(seen, other) {
      if (!isRegisters(other)) return other.reduce<Seen>(noted, seen);
      const registers = isRegisters(seen) ? seen : registersOf(seen);
      noteAll(registers, other);
      return registers;
    },
    result: (seen) => (isRegisters(seen) ? Math.round(estimate(seen)) : seen.length),
  });
}

const isRegisters = (seen: Seen): seen is Uint8Array => ArrayBuffer.isView(seen);

function noted(seen: Seen, hash: number): Seen {
  if (isRegisters(seen)) {
    note(seen, hash);
    return seen;
  }
  let low = 0;
  let high = seen.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((seen[middle] as number) < hash) low = middle + 1;
    else high = middle;
  }
  if (seen[low] === hash) return seen;
  seen.splice(low, 0, hash);
  return seen.length > EXACT_MAX ? registersOf(seen) : seen;
}

function registersOf(hashes: readonly number[]): Uint8Array {
  const registers = new Uint8Array(REGISTERS);
  for (const hash of hashes) note(registers, hash);
  return registers;
}
