import type { CellSpecs } from '../core/state.js';
import { type Baseline, type GroupCounts, noCounts, withLabel } from '../learning/index.js';
import { type MapCell, mapCell } from '../state/index.js';

export type BaselineCell = MapCell<string | number, GroupCounts>;

type Named<Row> = readonly (readonly [name: string, baseline: Baseline<Row>])[];

const cellName = (baseline: string) => `baseline-${baseline}`;

/** The group of baselines that know only one. */
const ALL = 'all';

/** One cell of counts a baseline. */
export const baselineCells = (baselines: Named<never>): CellSpecs =>
  Object.fromEntries(
    baselines.map(([name, { groupsMax }]) => [cellName(name), mapCell<string | number, GroupCounts>({ entriesMax: groupsMax })]),
  );

/** Baselines on their counts, beside a model. */
export interface OpenBaselines<in Row> {
  groupsOf(row: Row): (string | number)[];
  /** In the order of the baselines; changes nothing. */
  probabilities(groups: readonly (string | number)[]): number[];
  learn(groups: readonly (string | number)[], label: boolean): void;
}

/** Opens baselines on their cells. */
export function openBaselines<Row>(baselines: Named<Row>, opened: Readonly<Record<string, BaselineCell>>): OpenBaselines<Row> {
  const cells = baselines.map(([name]) => opened[cellName(name)] as BaselineCell);
  const countsOf = (b: number, group: string | number) => cells[b]?.get(group) ?? noCounts;
  return {
    groupsOf: (row) => baselines.map(([, { by }]) => by?.(row) ?? ALL),
    probabilities: (groups) => groups.map((group, b) => (baselines[b] as Named<Row>[number])[1].probability(countsOf(b, group))),
    learn(groups, label) {
      for (let b = 0; b < groups.length; b++) {
        const group = groups[b] as string | number;
        cells[b]?.set(group, withLabel(countsOf(b, group), label));
      }
    },
  };
}
