import type { CellSpecs } from '../../core/state.js';
import { type MapCell, mapCell } from '../../state/index.js';
import { isMeasurable, isWeight } from '../number-limits.js';
import { addLabel, type Baseline, emptyCounts, type GroupCounts, type LabelKind } from './baselines.js';

type Key = string | number;
export type BaselineCell = MapCell<Key, GroupCounts>;

type Named<Row> = readonly (readonly [name: string, baseline: Baseline<Row, never>])[];

const cellName = (baseline: string) => `baseline-${baseline}`;

/** The group of baselines that know only one. */
const ALL = 'all';

/** Version of a cell of counts by what labels are: sums of numbers are no counts of classes. */
const versions: Readonly<Record<LabelKind, number>> = { binary: 2, number: 3, class: 4 };

/** One cell of counts a baseline. */
export const baselineCells = (baselines: Named<never>, kind: LabelKind): CellSpecs =>
  Object.fromEntries(
    baselines.map(([name, { groupsMax }]) => [
      cellName(name),
      mapCell<Key, GroupCounts>({ entriesMax: groupsMax, version: versions[kind] }),
    ]),
  );

/** Baselines on their counts, beside a model. */
export interface OpenBaselines<in Row> {
  /** The row's groups in those baselines that tell rows apart, in their order. */
  groupsOf(row: Row): Key[];
  /** What each baseline says, written from `into[at]` on; changes no state. */
  predict(groups: readonly Key[], into: number[], at: number): void;
  /**
   * Takes in a label as a number, which counts so often; once by default. Passes over a label that is not a number or beyond 1e50, and over a
   * weight that is not above 0 or beyond 1e12, as learners refuse them.
   */
  learn(groups: readonly Key[], label: number, weight?: number): void;
}

/** How many of the baselines tell rows apart: the length of what `groupsOf` gives. */
export const groupings = (baselines: Named<never>): number => baselines.filter(([, { by }]) => by !== undefined).length;

/** Opens baselines on their cells; labels are one of so many classes, or numbers. */
export function openBaselines<Row>(
  baselines: Named<Row>,
  opened: Readonly<Record<string, BaselineCell>>,
  classes = 0,
): OpenBaselines<Row> {
  const none = emptyCounts(classes);
  let grouped = 0;
  const open = baselines.map(([name, baseline]) => ({
    baseline,
    cell: opened[cellName(name)] as BaselineCell,
    /** Which of the groups is this baseline's; -1 where all rows are one. */
    place: baseline.by ? grouped++ : -1,
  }));
  type Open = (typeof open)[number];
  const bys = baselines.flatMap(([, { by }]) => by ?? []);
  // Copied a row: an array that grows by `push` takes room for 17.
  const blank = bys.map((): Key => ALL);
  const groupIn = (groups: readonly Key[], place: number): Key => (place < 0 ? ALL : (groups[place] as Key));
  return {
    groupsOf(row) {
      const groups = blank.slice();
      for (let i = 0; i < bys.length; i++) groups[i] = (bys[i] as (row: Row) => Key)(row);
      return groups;
    },
    predict(groups, into, at) {
      for (let b = 0; b < open.length; b++) {
        const { baseline, cell, place } = open[b] as Open;
        into[at + b] = baseline.predict(cell.get(groupIn(groups, place)) ?? none);
      }
    },
    learn(groups, label, weight = 1) {
      if (!(isMeasurable(label) && isWeight(weight))) return;
      for (let b = 0; b < open.length; b++) {
        const { cell, place } = open[b] as Open;
        const group = groupIn(groups, place);
        const counts = cell.get(group) ?? emptyCounts(classes);
        addLabel(counts, label, weight);
        cell.set(group, counts);
      }
    },
  };
}
