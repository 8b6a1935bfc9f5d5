import type { FeatureVector } from '../../core/learner.js';
import type { Cell, CellSpecs } from '../../core/state.js';
import { type MapCell, mapCell } from '../../state/index.js';
import { isMeasurable } from '../number-limits.js';
import type { ColumnValue } from './feature.js';
import { type GroupEntry, type GroupMeans, groupMeans } from './group-means.js';
import type { OutcomeOptions } from './outcome.js';
import { layoutVersion, type ViewPlan } from './plan.js';
import type { VectorMaker } from './vectors.js';

/** The group of a row in each grouping by a column; `null` where the row has none. */
type Groups = readonly (string | number | null)[];

/** The open cells of a view with outcomes: `pending` and one for each grouping. */
export type TrackingCells = Readonly<Record<string, Cell>>;

/** What became of an outcome: counted, without a row that waits for it, or with a value that is not a number or beyond 1e50. */
export type Observed = 'counted' | 'unmatched' | 'rejected';

/**
 * Makes vectors of rows and follows the rows until their outcomes arrive. Times are the stream's own (event time that
 * never falls), so that one row or outcome with an absurd time cannot freeze a group.
 */
export interface TrackingLogic<in Row, in Outcome> {
  /** The row's vector as of a time; changes nothing. */
  vector(row: Row, nowMs: number): FeatureVector;
  /** The row's vector, and its groups remembered until its outcome arrives. */
  track(row: Row, nowMs: number): FeatureVector;
  /** An outcome has arrived: its row's groups take it in. */
  observe(outcome: Outcome, nowMs: number): Observed;
  /** Rows dropped because no outcome came within `wait`, since it was opened. */
  expired(): number;
  /** Rows dropped because more than `pendingMax` waited, since it was opened. */
  evicted(): number;
}

const ALL = 'all';

interface Grouping {
  /** -1 for the whole task. */
  readonly column: number;
  readonly means: GroupMeans;
}

/** The cells of a view with outcomes. Their versions follow from the layout: changed features never misread old state. */
export function trackingCells(
  { groups }: ViewPlan,
  {
    wait,
    pendingMax,
    groupsMax = 10_000,
  }: { wait: OutcomeOptions<never, never, string>['wait']; pendingMax: number; groupsMax?: number },
): CellSpecs {
  const columns = groups.filter(({ column }) => column >= 0).map(({ cell }) => cell);
  return Object.freeze({
    pending: mapCell<string | number, Groups>({ ttl: wait, entriesMax: pendingMax, version: layoutVersion(columns) }),
    ...Object.fromEntries(
      groups.map(({ cell, version }) => [
        cell,
        mapCell<string | number, GroupEntry>({ entriesMax: groupsMax, version }),
      ]),
    ),
  });
}

/** Opens a view with outcomes on its cells. */
export function openTracking<Row, Outcome>(
  { groups }: ViewPlan,
  { key, outcomeKey, values }: OutcomeOptions<Row, Outcome, string>,
  vectors: VectorMaker<Row>,
  cells: TrackingCells,
): TrackingLogic<Row, Outcome> {
  const pending = cells.pending as MapCell<string | number, Groups>;
  const means = groups.map(
    ({ column, cell, plan }): Grouping => ({
      column,
      means: groupMeans(plan, cells[cell] as MapCell<string | number, GroupEntry>),
    }),
  );
  const grouped = means.filter(({ column }) => column >= 0);
  const valueFunctions = Object.values<(outcome: Outcome) => number>(values);
  const numbers = new Array<number>(valueFunctions.length).fill(0);
  // Copied a row: an array that grows by `push` takes room for 17.
  const noGroups = grouped.map((): string | number | null => null);

  const vectorOf = (columns: readonly ColumnValue[], nowMs: number): FeatureVector => {
    const vector = vectors.make(columns);
    for (let i = 0; i < means.length; i++) {
      const group = means[i] as Grouping;
      group.means.read(group.column < 0 ? ALL : (columns[group.column] ?? null), nowMs, vector.dense);
    }
    return vector;
  };

  return {
    vector: (row, nowMs) => vectorOf(vectors.columnsOf(row), nowMs),

    track(row, nowMs) {
      const columns = vectors.columnsOf(row);
      const vector = vectorOf(columns, nowMs);
      pending.expire(nowMs);
      const groupsOf = noGroups.slice();
      for (let i = 0; i < grouped.length; i++) groupsOf[i] = columns[(grouped[i] as Grouping).column] ?? null;
      pending.set(key(row), groupsOf, nowMs);
      return vector;
    },

    observe(outcome, nowMs) {
      for (let v = 0; v < valueFunctions.length; v++) {
        const number = (valueFunctions[v] as (outcome: Outcome) => number)(outcome);
        if (!isMeasurable(number)) return 'rejected';
        numbers[v] = number;
      }
      pending.expire(nowMs);
      const id = outcomeKey(outcome);
      const of = pending.get(id);
      if (of === undefined) return 'unmatched';
      pending.delete(id);
      let next = 0;
      for (let i = 0; i < means.length; i++) {
        const group = means[i] as Grouping;
        const member = group.column < 0 ? ALL : (of[next++] ?? null);
        if (member !== null) group.means.add(member, nowMs, numbers);
      }
      return 'counted';
    },

    expired: () => pending.expired,
    evicted: () => pending.evicted,
  };
}
