import type { Cell, CellSpec, CellSpecs, Origin } from '../../../core/index.js';
import { float64Cell, ringCell, valueCell } from '../../../state/index.js';
import { nextMeanOfAnySize } from '../../../util/moments.js';
import { RunningMode } from '../running/running-mode.js';
import { RunningQuantiles } from '../running/running-quantiles.js';

/** How one field is filled in: what it learns from the values that are there, and what it puts in the place of one that is not. */
export interface Imputer {
  /** A value that was there, and the record that it came with. */
  see(value: unknown, record: unknown, origin: Origin): void;
  /** For a record; `undefined` while there is nothing to go by. */
  guess(record: unknown): unknown;
}

/** A way to fill in a field: its cells, and the logic on them once they are open. Names of cells follow the field's; '' is the field's own. */
export interface ImputerSpec {
  readonly cells: CellSpecs;
  /** `name`: unique within the task. */
  open(cells: Readonly<Record<string, Cell>>, name: string): Imputer;
}

/** A way with one cell. */
const way = <C extends CellSpec>(cell: C, open: (cell: ReturnType<C['open']>) => Imputer): ImputerSpec => ({
  cells: { '': cell },
  open: ({ '': opened }) => open(opened as ReturnType<C['open']>),
});

export const isNumber = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value);

/** Always the same value. */
export const constant = (value: unknown): ImputerSpec => ({
  cells: {},
  open: () => ({ see() {}, guess: () => value }),
});

/** What a function makes of the record. */
export const computed = (from: (record: never) => unknown): ImputerSpec => ({
  cells: {},
  open: () => ({ see() {}, guess: (record) => from(record as never) }),
});

/** The last value that was there. */
export const last = (): ImputerSpec =>
  way(valueCell<unknown>({ initial: undefined }), (cell) => ({
    see: (value) => cell.set(value),
    guess: () => cell.get() ?? undefined,
  }));

/** The mean of all finite values so far, by Welford's update, which does not lose digits as a running sum does. */
export const mean = (): ImputerSpec =>
  way(float64Cell({ size: 2, block: 2 }), (cell) => {
    const state = cell.values as Float64Array & { 0: number; 1: number }; // count, mean
    return {
      see(value) {
        if (!isNumber(value)) return;
        state[0]++;
        state[1] = nextMeanOfAnySize(state[1], value, state[0]);
        cell.touch(0);
      },
      guess: () => (state[0] === 0 ? undefined : state[1]),
    };
  });

/** The exact median of the last `length` finite values. */
export const median = (length: number): ImputerSpec =>
  way(ringCell<number>({ length }), (ring) => {
    const running = new RunningQuantiles(ring, length);
    return {
      see(value) {
        if (isNumber(value)) running.add(value);
      },
      guess: () => running.median(),
    };
  });

/** The most frequent of the last `length` values; of equally frequent ones the latest. */
export const mode = (length: number): ImputerSpec =>
  way(ringCell<unknown>({ length }), (ring) => {
    const running = new RunningMode(ring);
    return { see: (value) => running.add(value), guess: () => running.mode() };
  });
