import type { Mutant } from './draw.js';

/** A fault that no test can see, or that no unit test should: why it may survive. */
export interface Explained extends Pick<Mutant, 'file' | 'from' | 'to'> {
  /** A part of its line. */
  readonly in: string;
  readonly why: string;
}

export const explained: readonly Explained[] = [];

export const explanationOf = (mutant: Mutant, line: string): string | undefined =>
  explained.find(
    (each) => each.file === mutant.file && each.from === mutant.from && each.to === mutant.to && line.includes(each.in),
  )?.why;
