import { type Adds, type Operator, transform } from '../../core/index.js';
import { emptyKeyText, isEmptyKey, type Key } from '../keys.js';
import { optionProblems, requireOptions } from '../options.js';
import { uniformBy } from './uniform.js';

/** What share of the records `sample` takes, and by which key it decides. */
export interface SampleOptions<T> {
  /** The sampled key: all records of a key are kept, or none. */
  readonly key: (value: T) => Key | null | undefined;
  /** The share of keys that is kept, from 0 to 1. */
  readonly rate: number;
  /** Another seed samples other keys (default: ''). */
  readonly seed?: string;
}

/**
 * Keeps a share of the keys, chosen uniformly by hash, and drops the records of all other keys.
 *
 *   in   --a1--b1--a2--c1--b2--|
 *   out  --a1------a2--c1------|     rate 2/3: b is not drawn
 *
 * Guarantees: the choice depends on key, seed and rate only. So a replay keeps the same records, two streams with the same seed keep the
 * same keys, and a higher rate keeps all keys of a lower one.
 *
 * Counter: `unsampled`. Dead letters: `empty-key`. Memory: none.
 *
 * @example
 * flights.via('one-percent', sample({ key: (flight) => flight.flightId, rate: 0.01 }));
 */
export function sample<T>(options: SampleOptions<T>): Operator<T, Adds<unknown>> {
  requireOptions('sample', options);
  const { key, rate, seed = '' } = options;
  const uniform = uniformBy(seed);
  return transform<T, Adds<unknown>>({
    kind: 'sample',
    settings: { rate, seed },
    problems: [
      ...optionProblems('sample', options),
      ...(rate >= 0 && rate <= 1
        ? []
        : [{ message: `rate is ${rate}`, hint: 'give a share between 0 and 1, such as 0.01' }]),
    ],
    open(context) {
      const unsampled = context.counter('unsampled');
      return (value, emit) => {
        const id = key(value);
        if (isEmptyKey(id)) context.deadLetter('empty-key', emptyKeyText(id));
        else if (uniform(id) < rate) emit(value as never);
        else unsampled.add();
      };
    },
  });
}
