import type { DenseFeature } from './feature.js';

/**
 * One place for each of the values listed: 1 for the row's, 0 for the others, all 0 for a value that is not listed.
 * For columns of few values; `hashed` serves those of many.
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
