import { type Aggregate, aggregate } from 'millrace/window';

/** The values of which something is most; several where they are equal. */
export interface Most<T> {
  readonly most: number;
  readonly values: readonly T[];
}

const nothing = <T>(): Most<T> => ({ most: Number.NEGATIVE_INFINITY, values: [] });
const more = <T>(a: Most<T>, b: Most<T>): Most<T> => {
  if (a.most !== b.most) return a.most > b.most ? a : b;
  return { most: a.most, values: [...a.values, ...b.values] };
};

/** The values of which `of` is most. Memory: those that are equal. */
export const mostOf = <T>(name: string, of: (value: T) => number): Aggregate<T, Most<T>> =>
  aggregate({
    name: `most of ${name}`,
    create: nothing<T>,
    add: (acc, value: T) => more(acc, { most: of(value), values: [value] }),
    merge: more,
    result: (acc) => acc,
  });

/** The same over what several tasks found. */
export const mostOfMost = <In, T>(name: string, of: (value: In) => Most<T>): Aggregate<In, Most<T>> =>
  aggregate({
    name: `most of most of ${name}`,
    create: nothing<T>,
    add: (acc, value: In) => more(acc, of(value)),
    merge: more,
    result: (acc) => acc,
  });
