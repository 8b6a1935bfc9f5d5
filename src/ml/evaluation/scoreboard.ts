import type { Float64Cell } from '../../state/index.js';
import { turnWindow } from './event-window.js';
import type { Judge, Measure } from './judges.js';

/** Before the scorers: when the window began, labels in it, their sum. */
const HEAD = 3;

/** Numbers that a scoreboard keeps for so many scorers. */
export const scoreboardSize = (judge: Judge, scorers: number): number => HEAD + scorers * judge.size;

/** A finished window of progressive validation. */
export interface WindowScores {
  readonly endMs: number;
  readonly labelled: number;
  readonly labels: readonly Measure[];
  /** In the order of the scorers; the model is the first. */
  readonly scorers: readonly (readonly Measure[])[];
}

/** Running scores of a model and its baselines over windows of event time, in one typed array. */
export interface Scoreboard {
  /** Ends the window if this time lies outside of it, and returns it if it has any labels. */
  turn(nowMs: number): WindowScores | undefined;
  /** Adds one labelled row to the window: what the model said, then what each baseline said. */
  add(said: ArrayLike<number>, truth: number): void;
}

/**
 * Opens a scoreboard on its cell. Windows are aligned to multiples of `windowMs` since 1970; times never fall.
 * Memory: what the judge keeps a scorer, whatever the number of rows.
 */
export function scoreboard(cell: Float64Cell, judge: Judge, scorers: number, windowMs: number): Scoreboard {
  const { values } = cell;
  const bump = (at: number, by: number) => {
    values[at] = (values[at] as number) + by;
    cell.touch(at);
  };
  const startOf = (s: number): number => HEAD + s * judge.size;
  const sums = Array.from({ length: scorers }, (_, s) => values.subarray(startOf(s), startOf(s + 1)));

  const finish = (endMs: number, labelled: number): WindowScores => ({
    endMs,
    labelled,
    labels: judge.ofLabels(labelled, values[2] as number),
    scorers: sums.map((own, s) => judge.measures(own, labelled, s === 0)),
  });

  return {
    turn: (nowMs) => turnWindow(cell, windowMs, nowMs, finish),

    add(said, truth) {
      bump(1, 1);
      bump(2, truth);
      judge.add(cell, startOf(0), said, 0, truth, true);
      for (let s = 1; s < scorers; s++) judge.add(cell, startOf(s), said, judge.width + s - 1, truth, false);
    },
  };
}
