import type { Checkpoint, Position } from '../core/checkpoint.js';
import { MillraceError } from '../core/errors.js';
import { partitionOf } from '../core/partition.js';
import type { Cell, CellSpec, StateChange } from '../core/state.js';
import { pushAll } from '../util/arrays.js';
import { getOrInsert } from '../util/maps.js';
import { isSameInAll } from './division.js';
import type { PlannedTask } from './plan.js';
import type { Topology } from './topology.js';

export interface RescaleOptions {
  /** How many tasks there are to be. */
  readonly tasks: number;
  /**
   * Take the keys of cells for keys of records without proof. With several tasks each key must lie where the partitioner puts
   * it; with one task they all do, which proves nothing.
   */
  readonly assumeKeyed?: boolean | undefined;
  /** Opens the cell in which the runtime keeps a task's counters: they add up. */
  counters(): Cell;
}

/** State of a task after another number of tasks was made of those that there were. */
export interface RescaledTask {
  readonly state: readonly StateChange[];
  /** The task whose copy it has of what is the same in every task. */
  readonly copyOf: number;
}

/**
 * Spreads the state of all tasks of a sub-topology over another number of tasks, cell by cell, as each cell says (`Rescale`).
 *
 * Guarantee: an entry of a cell that is kept by key is afterwards in the task that records with this key go to. It is refused
 * as a whole where a cell does not say how, and where a key lies in another task than the partitioner says: then the key
 * of the step is not the key of the records, and nobody can know where its records will go.
 *
 * Memory: the state, twice.
 *
 * @throws MillraceError `state` with the step and the cell.
 * @example
 * const [first] = rescaleTasks(payments, stored, { tasks: 6, counters: () => new Counters() });
 */
export function rescaleTasks(
  subtopology: Topology,
  from: readonly PlannedTask[],
  options: RescaleOptions,
): RescaledTask[] {
  const to = Array.from({ length: options.tasks }, (_, task): { state: StateChange[]; copyOf: number } => ({
    state: [],
    copyOf: task % from.length,
  }));
  const byCell = changesByCell(from);
  for (const step of subtopology.steps) {
    if (step.shape.shape !== 'stateful') continue;
    const opened = to.map((): Record<string, Cell> => ({}));
    for (const [name, spec] of inTurn(step.shape.cells)) {
      const changes = byCell.get(`${step.id}/${name}`) ?? from.map(() => []);
      const where = `${step.id}/${name}`;
      const isCopied = isSameInAll(subtopology, step, spec.rescale);
      if (isCopied) {
        for (const task of to) pushAll(task.state, changes[task.copyOf] ?? []);
        continue;
      }
      const old = changes.map((each) => restored(spec, each));
      const made = to.map(() => spec.open());
      spread(spec, old, made, opened, { ...options, where, isStored: changes.map((each) => each.length > 0) });
      made.forEach((cell, task) => {
        (opened[task] as Record<string, Cell>)[name] = cell;
        const { version } = spec;
        const own = cell.takeChanges().map((change) => ({ ...change, step: step.id, cell: name, version }));
        pushAll((to[task] as { state: StateChange[] }).state, own);
      });
    }
  }
  keepEngines(subtopology, byCell, to, options);
  return to;
}

/**
 * How a cell would go into another number of tasks, or that it cannot.
 *
 * @throws MillraceError `state`
 */
function spread(
  spec: CellSpec,
  old: readonly Cell[],
  made: readonly Cell[],
  others: readonly Readonly<Record<string, Cell>>[],
  options: RescaleOptions & { readonly where: string; readonly isStored: readonly boolean[] },
): void {
  const { where, isStored } = options;
  const { rescale } = spec;
  if (!isStored.includes(true)) return;
  switch (rescale?.kind) {
    case undefined:
      throw new MillraceError('state', 'it belongs to one task and cannot be divided', {
        where,
        hint: 'give the step a new id to start with empty state, or declare how its cells are divided (byKey, merged, ...)',
      });
    case 'by-key':
      for (const [task, cell] of old.entries()) spreadByKey(cell, task, old.length, made, options);
      return;
    case 'empty':
      for (const cell of old)
        cell.spread?.(() => {
          throw new MillraceError('state', 'it is not empty, and its content belongs to one task', {
            where,
            hint: 'run until the waiting records have been emitted, then create the savepoint',
          });
        });
      return;
    case 'merged': {
      const values = old.filter((_, task) => isStored[task]).map((cell) => (cell as ValueLike).get());
      for (const cell of made) (cell as ValueLike).set(structuredClone(at(where, () => rescale.merge(values))));
      return;
    }
    case 'derived':
      for (const [task, cell] of made.entries()) (cell as ValueLike).set(rescale.derive(others[task] ?? {}));
  }
}

interface ValueLike extends Cell {
  get(): unknown;
  set(value: unknown): void;
}

function spreadByKey(
  cell: Cell,
  task: number,
  tasks: number,
  made: readonly Cell[],
  { where, assumeKeyed, tasks: wanted }: RescaleOptions & { readonly where: string },
): void {
  if (!cell.spread) throw new MillraceError('internal', 'a cell without keys is to be divided by key', { where });
  const utf8 = new TextEncoder();
  cell.spread((key) => {
    const bytes = utf8.encode(String(key));
    if (assumeKeyed) return made[partitionOf(bytes, wanted)] as Cell;
    if (tasks === 1) {
      throw new MillraceError('state', 'a single task does not show whether its keys are the keys of the records', {
        where,
        hint: 'if they are, pass --assume-keyed',
      });
    }
    const owner = partitionOf(bytes, tasks);
    if (owner === task) return made[partitionOf(bytes, wanted)] as Cell;
    throw new MillraceError(
      'state',
      `the key '${key}' is in task ${task}, but records with this key are in task ${owner}`,
      {
        where,
        hint: 'the step uses another key than its topics, or they were written with another partitioner: send its input through repartition(); its state then starts empty under that key',
      },
    );
  });
}

/** Cells that follow from others come after them. */
const inTurn = (cells: Readonly<Record<string, CellSpec>>): (readonly [string, CellSpec])[] =>
  Object.entries(cells).sort(
    ([, a], [, b]) => Number(a.rescale?.kind === 'derived') - Number(b.rescale?.kind === 'derived'),
  );

function restored(spec: CellSpec, changes: readonly StateChange[]): Cell {
  const cell = spec.open();
  for (const { bucket, bytes, version } of changes) if (bytes) cell.restore(bucket, bytes, version);
  return cell;
}

/** What the runtime keeps: counters add up, rows that wait for a sink stay with their task, and changes are numbered on from the highest. */
function keepEngines(
  { sinks }: Topology,
  byCell: ReadonlyMap<string, readonly (readonly StateChange[])[]>,
  to: readonly { state: StateChange[] }[],
  { counters }: RescaleOptions,
): void {
  for (const { id } of [...sinks, { id: '$dead-letters' }]) {
    const rows = byCell.get(`${id}/rows`) ?? [];
    for (const [task, changes] of rows.entries()) {
      if (changes.length === 0) continue;
      if (task >= to.length) {
        throw new MillraceError('state', `task ${task} has rows that the sink may not have written yet`, {
          where: id,
          hint: 'a task can be removed only after its pending rows are written: run it until it ends or is stopped, then create the savepoint',
        });
      }
      pushAll(to[task]?.state ?? [], changes);
    }
  }
  for (const { id } of sinks) {
    // Each bucket is a number, and the highest counts: whoever has a key next gives it a higher one than it had.
    const numbers = (byCell.get(`${id}/number`) ?? []).flat().map((change, bucket) => ({ ...change, bucket }));
    for (const { state } of to) pushAll(state, numbers);
  }
  const counted = byCell.get('$counters/counters') ?? [];
  for (const [task, { state }] of to.entries()) {
    const cell = counters();
    for (const [old, changes] of counted.entries())
      if (old % to.length === task)
        for (const { bucket, bytes, version } of changes) if (bytes) cell.restore(bucket, bytes, version);
    state.push(...cell.takeChanges().map((change) => ({ ...change, step: '$counters', cell: 'counters', version: 1 })));
  }
}

function changesByCell(tasks: readonly PlannedTask[]): Map<string, StateChange[][]> {
  const byCell = new Map<string, StateChange[][]>();
  for (const [task, { state }] of tasks.entries())
    for (const change of state) {
      const key = `${change.step}/${change.cell}`;
      getOrInsert(byCell, key, () => tasks.map((): StateChange[] => []))[task]?.push(change);
    }
  return byCell;
}

function at<T>(where: string, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    if (!(cause instanceof MillraceError) || cause.where !== undefined) throw cause;
    throw new MillraceError(cause.code, cause.message, {
      where,
      ...(cause.hint === undefined ? {} : { hint: cause.hint }),
    });
  }
}

/**
 * Where time stands in each source when tasks are made of others: as far as the furthest of them had come, since all that
 * came before has been read. So time falls for no key.
 */
export function furthestIn(
  checkpoints: readonly (Checkpoint | undefined)[],
  step: string,
): Pick<Position, 'mergeTimeMs'> | undefined {
  const times = checkpoints.flatMap((checkpoint) => checkpoint?.positions[step]?.mergeTimeMs ?? []);
  return times.length === 0 ? undefined : { mergeTimeMs: Math.max(...times) };
}
