import type { Mutant } from './draw.js';

/** A fault that no test can see, or that no unit test should: why it may survive. */
export interface Explained extends Pick<Mutant, 'file' | 'from' | 'to'> {
  /** A part of its line. */
  readonly in: string;
  readonly why: string;
}

export const explained: readonly Explained[] = [
  {
    file: 'src/schema/plain/csv-cells.ts',
    from: '-',
    to: '+',
    in: 'CARRIAGE_RETURN ? last - 1 : last',
    why: 'equivalent: the fast path gives a row with CRLF up, and splitRow gives the same cells',
  },
  {
    file: 'src/operators/window/engine/session-windows.ts',
    from: "'unmatched'",
    to: 'undefined as never',
    in: 'refused where it is declared',
    why: 'equivalent: check refuses windowOfChanges with sessions, so nothing is taken back from one',
  },
];

export const explanationOf = (mutant: Mutant, line: string): string | undefined =>
  explained.find(
    (each) => each.file === mutant.file && each.from === mutant.from && each.to === mutant.to && line.includes(each.in),
  )?.why;
