import { type Aggregate, isMissing, type NumberOf, ofNumbers } from './aggregate.js';

/**
 * The minimum of a number; `null` if no record has one. Null, undefined and NaN are ignored.
 *
 * @example
 * const aggregates = { cheapest: min((offer: { price: number }) => offer.price) };
 *
 * Cannot retract. Memory: one number.
 */
export const min = <In>(of: NumberOf<In>): Aggregate<In, number | null> => extreme('min', of, (x, so) => x < so);

/**
 * The maximum of a number; `null` if no record has one. Null, undefined and NaN are ignored.
 *
 * @example
 * const aggregates = { highest: max((bid: { price: number }) => bid.price) };
 *
 * Cannot retract. Memory: one number.
 */
export const max = <In>(of: NumberOf<In>): Aggregate<In, number | null> => extreme('max', of, (x, so) => x > so);

/** NaN means "no value yet". */
function extreme<In>(kind: string, of: NumberOf<In>, beats: (x: number, so: number) => boolean) {
  return ofNumbers<In, number | null>(kind, kind, {
    size: 1,
    init(into, at) {
      into[at] = Number.NaN;
    },
    add(into, at, value) {
      const x = of(value);
      if (isMissing(x)) return;
      const so = into[at] as number;
      if (Number.isNaN(so) || beats(x, so)) into[at] = x + 0; // no checkpoint keeps the sign of -0
    },
    merge(into, at, from, fromAt) {
      const x = from[fromAt] as number;
      const so = into[at] as number;
      if (Number.isNaN(so) || beats(x, so)) into[at] = x;
    },
    result: (from, at) => (Number.isNaN(from[at]) ? null : (from[at] as number)),
  });
}
