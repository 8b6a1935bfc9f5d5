/** The last score that a model gave a record with the same key. */
export interface LastScore<T> {
  /** What `degraded` says of it. */
  readonly name: string;
  /** The key of a record. */
  readonly lastBy: (value: T) => string | number;
  /** How many keys are remembered. Those that were scored the longest ago are forgotten. */
  readonly keysMax: number;
}

interface Score {
  readonly score: number;
  /** What made it. */
  readonly model: string;
}

/** The last scores of a task, by key. Memory: `keysMax` scores with their keys. */
export function lastScores<T>({ name, lastBy, keysMax }: LastScore<T>) {
  const scores = new Map<string | number, Score>();
  return {
    keep(value: T, { score, model }: Score): void {
      const key = lastBy(value);
      scores.delete(key);
      scores.set(key, { score, model });
      for (const oldest of scores.keys()) {
        if (scores.size <= keysMax) break;
        scores.delete(oldest);
      }
    },
    has: (value: T): boolean => scores.has(lastBy(value)),
    of(value: T): (Score & { readonly degraded: string }) | undefined {
      const last = scores.get(lastBy(value));
      return last && { ...last, degraded: name };
    },
  };
}
