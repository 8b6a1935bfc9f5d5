import type { Numbers } from './aggregate.js';

// A sum and what rounding took from it (Neumaier, "Rundungsfehleranalyse einiger Verfahren zur Summation endlicher
// Summen", 1974): the error does not grow with the number of terms, and terms taken back leave next to nothing behind.

/** Adds a term to the sum at `at` and its compensation at `at + 1`. */
export function addTerm(into: Numbers, at: number, term: number): void {
  const sum = into[at] as number;
  const next = sum + term;
  into[at + 1] = (into[at + 1] as number) + (Math.abs(sum) >= Math.abs(term) ? sum - next + term : term - next + sum);
  into[at] = next;
}

export function addSum(into: Numbers, at: number, from: Numbers, fromAt: number): void {
  addTerm(into, at, from[fromAt] as number);
  into[at + 1] = (into[at + 1] as number) + (from[fromAt + 1] as number);
}

/** Infinities have no compensation that means anything; 0 is never -0, whose sign no checkpoint keeps. */
export function sumAt(from: Numbers, at: number): number {
  const sum = from[at] as number;
  return Number.isFinite(sum) ? sum + (from[at + 1] as number) + 0 : sum;
}
