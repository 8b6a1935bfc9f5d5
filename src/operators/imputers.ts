import type { CellSpec } from '../core/index.js';
import { float64Cell, ringCell, valueCell } from '../state/index.js';
import { RunningQuantiles } from './running-quantiles.js';

/** How one field is filled in: what it learns from the values that are there, and what it puts in the place of one that is not. */
export interface Imputer {
  see(value: unknown): void;
  /** `undefined` while there is nothing to go by. */
  guess(): unknown;
}

/** A way to fill in a field: its cell, and the logic on that cell once it is open. */
export interface ImputerSpec {
  readonly cell: CellSpec | undefined;
  // biome-ignore lint/suspicious/noExplicitAny: each way knows its own cell; the pair is made in one place
  open(cell: any): Imputer;
}

const way = <C extends CellSpec>(cell: C, open: (cell: ReturnType<C['open']>) => Imputer): ImputerSpec => ({
  cell,
  open,
});
const isNumber = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value);

/** Always the same value. */
export const constant = (value: unknown): ImputerSpec => ({
  cell: undefined,
  open: () => ({ see() {}, guess: () => value }),
});

/** The last value that was there. */
export const last = (fallback: unknown): ImputerSpec =>
  way(valueCell<unknown>({ initial: undefined }), (cell) => ({
    see: (value) => cell.set(value),
    guess: () => cell.get() ?? fallback,
  }));

/** The mean of all finite values so far, by Welford's update, which does not lose digits as a running sum does. */
export const mean = (fallback: unknown): ImputerSpec =>
  way(float64Cell({ size: 2, block: 2 }), (cell) => {
    const state = cell.values as Float64Array & { 0: number; 1: number }; // count, mean
    return {
      see(value) {
        if (!isNumber(value)) return;
        state[0]++;
        state[1] += value / state[0] - state[1] / state[0]; // two quotients: the difference could overflow
        cell.touch(0);
      },
      guess: () => (state[0] === 0 ? fallback : state[1]),
    };
  });

/** The exact median of the last `length` finite values. */
export const median = (fallback: unknown, length: number): ImputerSpec =>
  way(ringCell<number>({ length }), (ring) => {
    const running = new RunningQuantiles(ring, length);
    return {
      see(value) {
        if (isNumber(value)) running.add(value);
      },
      guess: () => running.median() ?? fallback,
    };
  });
