/**
 * For `JSON.stringify`, which writes `{}` of these without a word: a `Map` becomes the object of its entries.
 *
 * @throws TypeError for a `Set`, and for a `Map` whose keys are not all texts or numbers, or are the same as texts.
 * @example
 * JSON.stringify(new Map([['a', new Map()]]), withMaps); // '{"a":{}}'
 */
export function withMaps(_name: string, each: unknown): unknown {
  if (each instanceof Set) throw new TypeError('a Set has none');
  if (!(each instanceof Map)) return each;
  const entries = [...each].map(([key, value]) => {
    if (typeof key !== 'string' && typeof key !== 'number' && typeof key !== 'bigint')
      throw new TypeError(`a Map with keys of type ${typeof key} has none`);
    return [String(key), value] as const;
  });
  const object = Object.fromEntries(entries);
  if (Object.keys(object).length < each.size) throw new TypeError('a Map in which two keys are the same text has none');
  return object;
}

/**
 * A value as JSON, `Map`s as objects; `undefined` where JSON has nothing for it, such as a function.
 *
 * Costs what `JSON.stringify` does, and more only where something is empty.
 *
 * @throws TypeError where it contains itself, a `bigint`, a `Set`, or a `Map` that is no object.
 */
export function jsonText(value: unknown): string | undefined {
  const text: string | undefined = JSON.stringify(value);
  return text?.includes('{}') ? JSON.stringify(value, withMaps) : text;
}
