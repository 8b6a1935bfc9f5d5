import { type MapCell, mapCell } from '../../../state/index.js';
import { isEmptyKey, type Key } from '../../keys.js';
import { sameFor } from '../running/running-mode.js';
import { type ImputerSpec, isNumber } from './imputers.js';

/** How the values of one group are kept, as plain data, and what is guessed from them. */
interface GroupWay<S> {
  readonly takes: (value: unknown) => boolean;
  /** Takes a value in; the state may be changed in place. */
  add(state: S | undefined, value: unknown): S;
  guess(state: S): unknown;
}

const lastOfGroup: GroupWay<readonly [unknown]> = {
  takes: () => true,
  add: (_, value) => [value],
  guess: ([value]) => value,
};

const meanOfGroup: GroupWay<[count: number, mean: number]> = {
  takes: isNumber,
  add(state = [0, 0], value) {
    state[0]++;
    state[1] += (value as number) / state[0] - state[1] / state[0]; // two quotients: the difference could overflow
    return state;
  },
  guess: ([, mean]) => mean,
};

/** The last values, the oldest first; the array is the map's own, which takes it back with each `set`. */
function windowOfGroup<V>(
  window: number,
  takes: (value: unknown) => boolean,
  guess: (values: readonly V[]) => unknown,
): GroupWay<V[]> {
  return {
    takes,
    add(state = [], value) {
      state.push(value as V);
      if (state.length > window) state.shift();
      return state;
    },
    guess,
  };
}

function medianOf(values: readonly number[]): number {
  const sorted = Float64Array.from(values).sort();
  const low = sorted[(sorted.length - 1) >> 1] as number;
  const high = sorted[sorted.length >> 1] as number;
  return low === high ? low : low / 2 + high / 2; // halves first: the sum could overflow
}

/** The most frequent value, of equally frequent ones the latest. */
function modeOf(values: readonly unknown[]): unknown {
  const counts = new Map<unknown, number>();
  let mode: unknown;
  let most = 0;
  const same = values.map(sameFor);
  for (const value of same) counts.set(value, (counts.get(value) ?? 0) + 1);
  for (const [i, value] of values.entries()) {
    const count = counts.get(same[i]) as number;
    if (count < most) continue;
    most = count;
    mode = value;
  }
  return mode;
}

export type GroupUse = 'last' | 'mean' | 'median' | 'mode';

const wayOf = (use: GroupUse, window: number): GroupWay<unknown> => {
  const ways = {
    last: lastOfGroup,
    mean: meanOfGroup,
    median: windowOfGroup<number>(window, isNumber, medianOf),
    mode: windowOfGroup<unknown>(window, () => true, modeOf),
  };
  return ways[use] as GroupWay<unknown>;
};

export interface GroupOptions {
  readonly by: (record: never) => Key | null | undefined;
  readonly groupsMax: number;
  /** Values kept of a group, for medians and modes. */
  readonly window: number;
}

/** As its group's values say; of a group not seen yet, or of none, as those of all records (`overall`) say. */
export function grouped(use: GroupUse, { by, groupsMax, window }: GroupOptions, overall: ImputerSpec): ImputerSpec {
  const way = wayOf(use, window);
  return {
    cells: { ...overall.cells, '-groups': mapCell<Key, unknown>({ entriesMax: groupsMax }) },
    open(cells, name) {
      const whole = overall.open(cells, name);
      const groups = cells['-groups'] as MapCell<Key, unknown>;
      return {
        see(value, record, origin) {
          whole.see(value, record, origin);
          const group = by(record as never);
          if (!isEmptyKey(group) && way.takes(value))
            groups.set(group as Key, way.add(groups.get(group as Key), value));
        },
        guess(record) {
          const group = by(record as never);
          const state = isEmptyKey(group) ? undefined : groups.get(group as Key);
          return state === undefined ? whole.guess(record) : way.guess(state);
        },
      };
    },
  };
}
