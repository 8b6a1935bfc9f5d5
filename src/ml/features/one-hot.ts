import type { DenseFeature } from './feature.js';

/**
 * One dense feature per listed value: 1 for the value of the row, 0 for the others. For a value that is not listed all are 0. Use it for
 * columns with few values, and `hashed` for those with many.
 *
 * @example oneHot('weather', ['fair', 'rain', 'snow']);
 */
export function oneHot<const K extends string>(column: K, values: readonly (string | number)[]): DenseFeature<K> {
  const places = new Map(values.map((value, place) => [value, place]));
  return Object.freeze({
    part: 'dense',
    kind: 'one-hot',
    column,
    settings: Object.freeze({ values: JSON.stringify(values) }),
    width: values.length,
    encode(value, into, at) {
      const place = value === null || value === undefined ? undefined : places.get(value);
      if (place !== undefined) into[at + place] = 1;
    },
  } satisfies DenseFeature<K>);
}
