import { type Aggregate, isMissing, ofValue } from './aggregate.js';

/** Event time and value; empty if no record had a value. */
type Held<V> = readonly [timeMs: number, value: V] | null;

/**
 * The value at the earliest event time; of several, the one that arrived first. `null` if no record has a value.
 *
 * @example
 * const aggregates = { opening: first((trade: { price: number }) => trade.price) };
 *
 * Cannot retract. Memory: one value, which must be plain data.
 */
export const first = <In, V>(of: (value: In) => V | null | undefined): Aggregate<In, V | null> =>
  end('first', of, (timeMs, heldMs) => timeMs < heldMs);

/**
 * The value at the latest event time; of several, the one that arrived last. `null` if no record has a value.
 *
 * @example
 * const aggregates = { closing: last((trade: { price: number }) => trade.price) };
 *
 * Cannot retract. Memory: one value, which must be plain data.
 */
export const last = <In, V>(of: (value: In) => V | null | undefined): Aggregate<In, V | null> =>
  end('last', of, (timeMs, heldMs) => timeMs >= heldMs);

function end<In, V>(
  kind: string,
  of: (value: In) => V | null | undefined,
  takesPlace: (timeMs: number, heldMs: number) => boolean,
): Aggregate<In, V | null> {
  return ofValue<In, Held<V>, V | null>(kind, kind, {
    create: () => null,
    add(held, value, timeMs) {
      const next = of(value);
      if (isMissing(next)) return held;
      return held === null || takesPlace(timeMs, held[0]) ? [timeMs, next as V] : held;
    },
    merge: (held, other) => (other !== null && (held === null || takesPlace(other[0], held[0])) ? other : held),
    result: (held) => (held === null ? null : held[1]),
  });
}
