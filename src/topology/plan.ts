import { EARLIEST, type StoredTask } from '../core/checkpoint.js';
import { MillraceError } from '../core/errors.js';
import type { Settings } from '../core/options.js';
import { positionsIn, stepOfPosition } from '../core/source.js';
import type { CellSpec, StateChange } from '../core/state.js';
import { getOrInsert } from '../util/maps.js';
import { divisionOf } from './division.js';
import { hasState, layoutChanges, layoutOf, stateSettingsOf, topologyHash } from './hash.js';
import type { Topology } from './topology.js';

/**
 * What a topology would do with a piece of stored state. `divided` is spread over another number of tasks by
 * `savepoint restore --rescale`; `refused` stops the run, or the restore, at its start; `dropped` state has no
 * reader: it is left where it is and nothing uses it.
 */
export type StateAction = 'reused' | 'migrated' | 'divided' | 'refused' | 'dropped' | 'new';

export interface CellPlan {
  readonly step: string;
  readonly cell: string;
  readonly action: StateAction;
  /** Versions found in the checkpoints, in order; none for a new cell. */
  readonly stored: readonly number[];
  /** The version of the code; `undefined` where it has no such cell. */
  readonly version: number | undefined;
  readonly buckets: number;
  readonly bytes: number;
  /** Why it is refused, or what a reader should know. */
  readonly note: string;
}

export interface SourcePlan {
  readonly source: string;
  readonly action: 'continues' | 'new' | 'refused' | 'kept';
  readonly topic: string;
  /**
   * Next offset by task; `null` for one that begins at the oldest record. Of a global source by partition, the lowest of all
   * tasks.
   */
  readonly offsets: Readonly<Record<number, number | null>>;
  readonly note: string;
}

/** A sink that is gone, or is of another kind, and has written what only it can finish. */
export interface SinkPlan {
  readonly sink: string;
  /** What a removed sink has begun stays in the checkpoint; what a sink of another kind has begun does not. */
  readonly action: 'kept' | 'dropped';
  /** By task, what is not finished, in words. */
  readonly unfinished: Readonly<Record<number, readonly string[]>>;
  readonly note: string;
}

/** What a sink's committable has that nobody finishes in this topology, in words: the connector's own business. */
export type Unfinished = (sink: string, committable: unknown) => readonly string[];

/** A setting of a stateful step: its value in the checkpoint, and in the topology; `undefined` where it is not given. */
export interface SettingChange {
  readonly step: string;
  readonly setting: string;
  readonly was: Settings[string] | undefined;
  readonly is: Settings[string] | undefined;
}

export interface StatePlan {
  readonly topology: string;
  readonly hash: string;
  /** Hashes of the topologies that wrote the checkpoints. */
  readonly storedHashes: readonly string[];
  readonly tasks: number;
  /**
   * How sources, stateful steps and versions of state differ from those of the checkpoints, a line each: a run needs
   * `--accept-plan` where there is one.
   */
  readonly changes: readonly string[];
  /** Settings of stateful steps that are not those with which the stored state was made. The state is reused all the same. */
  readonly settings: readonly SettingChange[];
  /** How many tasks there will be, where that is another number: a savepoint can go into them, a run does not begin. */
  readonly tasksNow?: number | undefined;
  readonly sources: readonly SourcePlan[];
  /** Those alone that are gone and leave something unfinished. */
  readonly sinks: readonly SinkPlan[];
  readonly cells: readonly CellPlan[];
}

/** The newest checkpoint of a task. */
export interface PlannedTask extends StoredTask {
  readonly partition: number;
}

export interface PlanOptions {
  /** How many tasks there would be now. */
  readonly tasksNow?: number | undefined;
  readonly unfinished?: Unfinished | undefined;
}

/**
 * What running a topology would do with the state of earlier runs, found out by giving each stored bucket to a cell of
 * its own that is thrown away.
 *
 * Pure: nothing stored changes. A migration is known to exist, and is not run: one that throws shows when the state is
 * first touched. Memory: the largest cell, once.
 *
 * @example
 * const refused = isRefused(planState(flightDelays, stored));
 */
export function planState(
  topology: Topology,
  tasks: readonly PlannedTask[],
  { tasksNow, unfinished = () => [] }: PlanOptions = {},
): StatePlan {
  const stored = tasks.filter(({ checkpoint }) => checkpoint !== undefined);
  const before = stored.map(({ checkpoint }) => checkpoint?.tasks).find((count) => count !== undefined);
  const isRescaled = tasksNow !== undefined && before !== undefined && before !== tasksNow && hasState(topology);
  const layout = layoutOf(topology);
  const changes = stored.flatMap(({ checkpoint }) => layoutChanges(checkpoint?.layout ?? layout, layout));
  const hashes = stored.map(({ checkpoint }) => checkpoint?.topologyHash ?? '');
  return {
    topology: topology.name,
    hash: topologyHash(topology),
    storedHashes: [...new Set(hashes)].sort(),
    tasks: stored.length,
    changes: [...new Set(changes)],
    settings: settingChanges(topology, stored),
    ...(isRescaled ? { tasksNow } : {}),
    sources: planSources(topology, stored),
    sinks: planSinks(topology, stored, unfinished),
    cells: isRescaled ? dividing(topology, planCells(topology, stored)) : planCells(topology, stored),
  };
}

/** Of the steps that are in both; several where tasks were stored by several versions. */
function settingChanges(topology: Topology, tasks: readonly PlannedTask[]): SettingChange[] {
  const found = new Map<string, SettingChange>();
  const now = stateSettingsOf(topology);
  for (const { checkpoint } of tasks)
    for (const [step, before] of Object.entries(checkpoint?.settings ?? {})) {
      const after = now[step];
      if (after === undefined) continue;
      for (const setting of new Set([...Object.keys(before), ...Object.keys(after)])) {
        const change = { step, setting, was: before[setting], is: after[setting] };
        if (change.was !== change.is) found.set(JSON.stringify([step, setting, change.was]), change);
      }
    }
  return [...found.values()];
}

/** What becomes of cells where the number of tasks changes: as each says, the runtime's own as it sees fit. */
function dividing(topology: Topology, cells: readonly CellPlan[]): CellPlan[] {
  const specs = new Map([...declaredCells(topology)].map(({ step, cell, spec }) => [`${step}/${cell}`, spec]));
  return cells.map((plan) => {
    const spec = specs.get(`${plan.step}/${plan.cell}`);
    if (!spec || (plan.action !== 'reused' && plan.action !== 'migrated')) return plan;
    const step = topology.steps.find(({ id }) => id === plan.step);
    const how = step && divisionOf(topology, step, spec.rescale);
    if (how !== undefined) return { ...plan, action: 'divided', note: how };
    return { ...plan, action: 'refused', note: 'it belongs to one task and cannot be divided' };
  });
}

/** Whether a run needs its plan accepted. */
export const needsAcceptance = (plans: readonly StatePlan[]): boolean =>
  plans.some(({ changes }) => changes.length > 0);

/** Tells state that a topology reads from state that nothing in it knows any more. */
export function readerIn(topology: Topology): (name: CellName) => boolean {
  const isEngines = engineCells(topology);
  const declared = new Set([...declaredCells(topology)].map(({ step, cell }) => `${step}/${cell}`));
  return (name) => declared.has(`${name.step}/${name.cell}`) || isEngines(name);
}

/** Whether state is refused, by a run or by the restore that another number of tasks needs. */
export const isRefused = ({ sources, cells }: StatePlan): boolean =>
  [...sources, ...cells].some(({ action }) => action === 'refused');

function planSources({ sources }: Topology, tasks: readonly PlannedTask[]): SourcePlan[] {
  const declared = sources.map(({ id, source }): SourcePlan => {
    const found = tasks.flatMap(({ partition: task, checkpoint, topics }) => {
      const positions = checkpoint ? [...positionsIn(checkpoint, id, source, task)] : [];
      return positions.map(([partition, { offset }]) => ({ partition, offset, topic: topics[id] }));
    });
    // In a global source every task has a position: the lowest is where one of them goes on.
    const offsets: Record<number, number | null> = {};
    for (const { partition, offset } of found.toSorted((a, b) => b.offset - a.offset || a.partition - b.partition))
      offsets[partition] = offset === EARLIEST ? null : offset;
    const base = { source: id, topic: source.topic, offsets };
    if (found.length === 0) return { ...base, action: 'new', note: 'starts at the oldest record' };
    const other = found.find(({ topic }) => topic !== undefined && topic !== source.topic)?.topic;
    if (other === undefined)
      return { ...base, action: 'continues', note: source.global ? 'read whole by every task' : '' };
    const note = `its position is in ${other}: give the source a new id to read ${source.topic} from its start`;
    return { ...base, action: 'refused', note };
  });
  const known = new Set(sources.map(({ id }) => id));
  const gone = new Set(tasks.flatMap(({ checkpoint }) => Object.keys(checkpoint?.positions ?? {}).map(stepOfPosition)));
  const left = [...gone]
    .filter((id) => !known.has(id))
    .sort()
    .map((id): SourcePlan => {
      const topic = tasks.map(({ topics }) => topics[id]).find((each) => each !== undefined) ?? '';
      const note = 'removed; its offsets are kept, and it continues there if it is added again';
      return { source: id, topic, offsets: {}, action: 'kept', note };
    });
  return [...declared, ...left];
}

function planSinks({ sinks }: Topology, tasks: readonly PlannedTask[], unfinishedOf: Unfinished): SinkPlan[] {
  const unfinished = new Map<string, Record<number, readonly string[]>>();
  for (const { partition, checkpoint } of tasks) {
    for (const [sink, committable] of Object.entries(checkpoint?.committables ?? {})) {
      const found = unfinishedOf(sink, committable);
      if (found.length > 0)
        getOrInsert(unfinished, sink, (): Record<number, readonly string[]> => ({}))[partition] = found;
    }
  }
  const known = new Set(sinks.map(({ id }) => id));
  const kept = {
    action: 'kept',
    note: 'it continues if the sink is added again; `run --until-end` with the old sink finishes it',
  } as const;
  const dropped = {
    action: 'dropped',
    note: 'it is lost unless you finish it with the old sink: `run --until-end`',
  } as const;
  return [...unfinished]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([sink, found]) => ({ sink, unfinished: found, ...(known.has(sink) ? dropped : kept) }));
}

interface CellName {
  readonly step: string;
  readonly cell: string;
}

function planCells(topology: Topology, tasks: readonly PlannedTask[]): CellPlan[] {
  const stored = new Map<string, CellName & { readonly byTask: StateChange[][] }>();
  for (const { state } of tasks) {
    const ofTask = new Map<string, StateChange[]>();
    for (const change of state) getOrInsert(ofTask, `${change.step}/${change.cell}`, () => []).push(change);
    for (const [key, changes] of ofTask) {
      const { step, cell } = changes[0] as StateChange;
      getOrInsert(stored, key, () => ({ step, cell, byTask: [] })).byTask.push(changes);
    }
  }
  const plans: CellPlan[] = [];
  for (const { step, cell, spec } of declaredCells(topology)) {
    const key = `${step}/${cell}`;
    const found = stored.get(key)?.byTask ?? [];
    stored.delete(key);
    plans.push({ step, cell, version: spec.version, ...sizeOf(found), ...actionOn(spec, found) });
  }
  const isEngines = engineCells(topology);
  const rest = [...stored.values()].sort((a, b) => (`${a.step}/${a.cell}` < `${b.step}/${b.cell}` ? -1 : 1));
  for (const { step, cell, byTask } of rest) {
    const known = isEngines({ step, cell });
    plans.push({
      step,
      cell,
      version: known ? 1 : undefined,
      ...sizeOf(byTask),
      action: known ? 'reused' : 'dropped',
      note: known ? '' : noteOnDropped(topology, cell, step),
    });
  }
  return plans;
}

/** What the runtime itself keeps: under names with a $, rows that a sink has not taken yet, and the number of its last change. */
function engineCells({ sinks }: Topology): (name: CellName) => boolean {
  const ids = new Set(sinks.map(({ id }) => id));
  return ({ step, cell }) => step.startsWith('$') || ((cell === 'rows' || cell === 'number') && ids.has(step));
}

function noteOnDropped({ steps }: Topology, cell: string, step: string): string {
  if (steps.some(({ id }) => id === step)) return 'its step no longer has this cell';
  return cell === 'rows' ? 'rows without a sink: written if it is added again' : 'its step was removed';
}

function* declaredCells({ steps }: Topology): Generator<CellName & { readonly spec: CellSpec }> {
  for (const { id, shape } of steps) {
    if (shape.shape !== 'stateful') continue;
    for (const [cell, spec] of Object.entries(shape.cells)) yield { step: id, cell, spec };
  }
}

function sizeOf(byTask: readonly (readonly StateChange[])[]): Pick<CellPlan, 'stored' | 'buckets' | 'bytes'> {
  const changes = byTask.flat();
  return {
    stored: [...new Set(changes.map(({ version }) => version))].sort((a, b) => a - b),
    buckets: changes.length,
    bytes: changes.reduce((sum, { bytes }) => sum + (bytes?.length ?? 0), 0),
  };
}

function actionOn(spec: CellSpec, byTask: readonly (readonly StateChange[])[]): Pick<CellPlan, 'action' | 'note'> {
  if (byTask.length === 0) return { action: 'new', note: '' };
  try {
    for (const changes of byTask) tryRestore(spec, changes);
  } catch (error) {
    if (!isStateError(error)) throw error;
    return { action: 'refused', note: error.hint === undefined ? error.message : `${error.message}: ${error.hint}` };
  }
  const migrates = byTask.some((changes) => changes.some(({ version }) => version !== spec.version));
  return { action: migrates ? 'migrated' : 'reused', note: '' };
}

/** By its name: cells of another installed copy of the package throw that copy's class. */
const isStateError = (error: unknown): error is MillraceError =>
  error instanceof Error && error.name === 'MillraceError' && 'code' in error && error.code === 'state';

function tryRestore(spec: CellSpec, changes: readonly StateChange[]): void {
  const scratch = spec.open();
  for (const { bucket, bytes, version } of changes) {
    if (!bytes) continue;
    if (spec.tags && !spec.tags.includes(bytes[0] ?? -1)) {
      throw new MillraceError('state', 'it was written by another kind of cell', {
        hint: 'give the changed cell or its step a new name, or start with empty state',
      });
    }
    scratch.restore(bucket, bytes, version);
  }
}
