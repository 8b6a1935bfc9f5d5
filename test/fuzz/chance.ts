import { generator } from '../random.js';

/** Seeded chance, in the words of whoever builds something hostile from it. */
export interface Chance {
  /** A whole number from 0 to below `n`. */
  below(n: number): number;
  pick<T>(of: readonly T[]): T;
  /** True once in `n` times. */
  oneIn(n: number): boolean;
}

export function chanceOf(seed: number): Chance {
  const next = generator(seed);
  const below = (n: number) => Math.floor(next() * n);
  return { below, pick: (of) => of[below(of.length)] as never, oneIn: (n) => below(n) === 0 };
}
