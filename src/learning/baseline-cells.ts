import type { CellSpecs } from '../core/state.js';
import { type MapCell, mapCell } from '../state/index.js';
import { addLabel, type Baseline, emptyCounts, type GroupCounts } from './baselines.js';

type Key = string | number;
export type BaselineCell = MapCell<Key, GroupCounts>;

type Named<Row> = readonly (readonly [name: string, baseline: Baseline<Row>])[];

const cellName = (baseline: string) => `baseline-${baseline}`;

/** The group of baselines that know only one. */
const ALL = 'all';

/** One cell of counts a baseline. */
export const baselineCells = (baselines: Named<never>): CellSpecs =>
  Object.fromEntries(
    baselines.map(([name, { groupsMax }]) => [cellName(name), mapCell<Key, GroupCounts>({ entriesMax: groupsMax })]),
  );

/** Baselines on their counts, beside a model. */
export interface OpenBaselines<in Row> {
  /** The row's group in each baseline. */
  groupsOf(row: Row): Key[];
  /** What each baseline says, written from `into[1]` on; changes no state. */
  predict(groups: readonly Key[], into: number[]): void;
  learn(groups: readonly Key[], label: boolean): void;
}

/** Opens baselines on their cells. */
export function openBaselines<Row>(
  baselines: Named<Row>,
  opened: Readonly<Record<string, BaselineCell>>,
): OpenBaselines<Row> {
  const none = emptyCounts();
  const open = baselines.map(([name, baseline]) => ({ baseline, cell: opened[cellName(name)] as BaselineCell }));
  type Open = (typeof open)[number];
  // Copied a row: an array that grows by `push` takes room for 17.
  const all = open.map((): Key => ALL);
  return {
    groupsOf(row) {
      const groups = all.slice();
      for (let b = 0; b < open.length; b++) {
        const { by } = (open[b] as Open).baseline;
        if (by) groups[b] = by(row);
      }
      return groups;
    },
    predict(groups, into) {
      for (let b = 0; b < open.length; b++) {
        const { baseline, cell } = open[b] as Open;
        into[b + 1] = baseline.probability(cell.get(groups[b] as Key) ?? none);
      }
    },
    learn(groups, label) {
      for (let b = 0; b < open.length; b++) {
        const { cell } = open[b] as Open;
        const group = groups[b] as Key;
        const counts = cell.get(group) ?? emptyCounts();
        addLabel(counts, label);
        cell.set(group, counts);
      }
    },
  };
}
