export interface Turns {
  /** Resolves when it is the caller's turn, which lasts until `give`. */
  take(): Promise<void>;
  give(): void;
}

/** Turns of which up to `most` are taken at once; who comes first gets the next one. Memory: those who wait. */
export function turnsOf(most: number): Turns {
  const waiting: (() => void)[] = [];
  let taken = 0;
  return {
    async take() {
      if (taken < most) taken++;
      else await new Promise<void>((begin) => waiting.push(begin));
    },
    give() {
      // It is passed on as it is: nobody who comes now overtakes those who wait.
      const next = waiting.shift();
      if (next === undefined) taken--;
      else next();
    },
  };
}
