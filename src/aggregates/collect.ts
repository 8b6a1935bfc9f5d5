import { type Aggregate, isMissing, ofValue } from './aggregate.js';

/** The kept values, and the number of others. */
export interface Collected<V> {
  readonly values: readonly V[];
  readonly more: number;
}

interface Held<V> {
  readonly times: number[];
  readonly values: V[];
  more: number;
}

/**
 * The values, ordered by event time, then by arrival. Null, undefined and NaN are ignored.
 *
 * @example
 * const aggregates = { route: collect((stop: { station: string }) => stop.station, { valuesMax: 50 }) };
 *
 * The earliest `valuesMax` values are kept, and the result has the number of others. Cannot retract. Memory: `valuesMax` values, which must
 * be plain data.
 */
export function collect<In, V>(
  of: (value: In) => V | null | undefined,
  { valuesMax }: { readonly valuesMax: number },
): Aggregate<In, Collected<V>> {
  const keep = (held: Held<V>, timeMs: number, value: V) => {
    let place = held.times.length;
    while (place > 0 && (held.times[place - 1] as number) > timeMs) place--;
    if (place >= valuesMax) {
      held.more++;
      return;
    }
    held.times.splice(place, 0, timeMs);
    held.values.splice(place, 0, value);
    if (held.times.length <= valuesMax) return;
    held.times.pop();
    held.values.pop();
    held.more++;
  };
  const problem = { message: `collects up to ${valuesMax} values`, hint: 'give `valuesMax` a positive integer' };
  return ofValue<In, Held<V>, Collected<V>>(
    'collect',
    `up to ${valuesMax} values`,
    {
      create: () => ({ times: [], values: [], more: 0 }),
      add(held, value, timeMs) {
        const next = of(value);
        if (!isMissing(next)) keep(held, timeMs, next as V);
        return held;
      },
      merge(held, other) {
        other.values.forEach((value, i) => {
          keep(held, other.times[i] as number, value);
        });
        held.more += other.more;
        return held;
      },
      result: ({ values, more }) => ({ values: [...values], more }),
    },
    Number.isInteger(valuesMax) && valuesMax >= 1 ? [] : [problem],
  );
}
