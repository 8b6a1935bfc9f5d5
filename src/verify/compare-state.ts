import { isDeepStrictEqual } from 'node:util';
import type { Cell, CellSpecs, StateChange } from '../core/state.js';
import type { OpenProfile } from '../profiles/profiles.js';
import type { Pane, PaneCell, TimerCell } from '../state/index.js';
import type { Topology } from '../topology/index.js';
import { Differences } from './differences.js';
import type { Run } from './verification.js';

/**
 * Compares the state of both runs at their end: every cell of every step, such as the weights of models. Cells are compared
 * bit by bit as they are stored. The bytes of maps, panes and timers depend on where epochs ended, so their content is compared.
 *
 * Counters and rows that wait for a table are left out: they depend on the course of a run. Memory: the state of one task, twice.
 */
export async function compareState(
  { checkpoints }: Pick<OpenProfile, 'checkpoints'>,
  subtopologies: Readonly<Record<Run, readonly Topology[]>>,
): Promise<Differences> {
  const found = new Differences();
  for (const [index, subtopology] of subtopologies.reference.entries()) {
    const other = subtopologies.faulted[index]?.name ?? '';
    const tasks = new Set([...(await checkpoints.tasks(subtopology.name)), ...(await checkpoints.tasks(other))]);
    for (const partition of tasks) {
      const [reference, faulted] = await Promise.all(
        [subtopology.name, other].map(async (topology) => (await checkpoints.inspect({ topology, partition })).state),
      );
      for (const { id, shape } of subtopology.steps) {
        if (shape.shape === 'stateful') compareStep(id, partition, shape.cells, reference ?? [], faulted ?? [], found);
      }
    }
  }
  return found;
}

function compareStep(
  step: string,
  task: number,
  cells: CellSpecs,
  reference: readonly StateChange[],
  faulted: readonly StateChange[],
  found: Differences,
): void {
  for (const [cell, spec] of Object.entries(cells)) {
    const of = (state: readonly StateChange[]) => state.filter((each) => each.step === step && each.cell === cell);
    const [a, b] = [of(reference), of(faulted)];
    found.compared += 1;
    if (sameBuckets(a, b)) continue;
    const [left, right] = [restored(spec.open(), a), restored(spec.open(), b)];
    if (sameContents(left, right)) continue;
    found.add({ kind: 'different', id: `cell ${cell} of step ${step} in task ${task}` });
  }
}

function sameBuckets(a: readonly StateChange[], b: readonly StateChange[]): boolean {
  const others = new Map(b.map(({ bucket, bytes }) => [bucket, bytes]));
  return (
    a.length === b.length &&
    a.every(({ bucket, bytes }) => {
      const other = others.get(bucket);
      return other !== undefined && bytes !== null && other !== null && Buffer.compare(bytes, other) === 0;
    })
  );
}

function restored(cell: Cell, state: readonly StateChange[]): Cell {
  for (const { bucket, bytes, version } of state) if (bytes !== null) cell.restore(bucket, bytes, version);
  return cell;
}

/** Whether two cells hold the same, however it is stored. Timers are taken out of them. */
function sameContents(a: object, b: object): boolean {
  if (isKeyed(a) && isKeyed(b)) return sameEntries(a, b);
  if (isPanes(a) && isPanes(b)) return isDeepStrictEqual(a.panes.map(entriesOf), b.panes.map(entriesOf));
  if (isTimers(a) && isTimers(b)) return isDeepStrictEqual(timersOf(a), timersOf(b));
  return false;
}

interface Keyed {
  readonly size: number;
  keys(): Iterable<never>;
  get(key: never): unknown;
}

const isKeyed = (cell: object): cell is Keyed => 'size' in cell && 'keys' in cell && 'get' in cell;

function sameEntries(a: Keyed, b: Keyed): boolean {
  if (a.size !== b.size) return false;
  for (const key of a.keys()) if (!isDeepStrictEqual(a.get(key), b.get(key))) return false;
  return true;
}

const isPanes = (cell: object): cell is PaneCell<string | number> => 'panes' in cell && 'dropBefore' in cell;

function entriesOf(pane: Pane<string | number>): unknown {
  const { startMs, size, numbers, values } = pane;
  return { startMs, keys: Array.from({ length: size }, (_, slot) => pane.keyAt(slot)), numbers, values };
}

const isTimers = (cell: object): cell is TimerCell<string | number> => 'takeDue' in cell && 'nextMs' in cell;

function timersOf(cell: TimerCell<string | number>): unknown[] {
  const timers: unknown[] = [];
  cell.takeDue(Number.POSITIVE_INFINITY, (key, timeMs) => timers.push([timeMs, key]));
  return timers;
}
