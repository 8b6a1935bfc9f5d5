import type { EventClock, WatermarkMarkers } from './event-clock.js';
import type { StateChange } from './state.js';

/** A task: one partition number of a topology. */
export interface TaskId {
  readonly topology: string;
  readonly partition: number;
}

/** In the place of an offset: the oldest record that the log still has. */
export const EARLIEST = -2;

/** Where a source stands: always of the record to read next, never of the last one read. */
export interface Position {
  readonly offset: number;
  /** Event time up to which this input was merged; before all time while its clock is tentative. */
  readonly mergeTimeMs: number;
  /** The clock of this input where it is tentative, or has seen times ahead that are not confirmed (see `observe`). */
  readonly clock?: EventClock | undefined;
  /** Of a source with marks: what they said up to here. */
  readonly watermarkMarkers?: WatermarkMarkers | undefined;
  /** Of a source whose offsets are no addresses: what the reader said of where this one lies. JSON, some hundred bytes. */
  readonly sourceState?: unknown;
}

/** What the wall clock decided and state alone does not tell, by name. JSON, some hundred bytes. */
export type SettledDecisions = Readonly<Record<string, unknown>>;

/** The state of a task after an epoch. */
export interface Checkpoint {
  readonly epoch: number;
  /** Raised by savepoint restore, offset reset and topic re-creation; part of every fence and row version. */
  readonly incarnation: number;
  readonly topologyHash: string;
  /** Sources and stateful steps of the topology that wrote it, a line each (see `layoutOf`); missing where a tool made it. */
  readonly layout?: readonly string[] | undefined;
  /** How many tasks the topology had; unknown where an older version wrote it. */
  readonly tasks?: number | undefined;
  /** By source step id; of a global source by id and partition (see `positionKey`). Those of sources that left stay. */
  readonly positions: Readonly<Record<string, Position>>;
  readonly settledDecisions: SettledDecisions;
  /** By sink step id: what a prepared sink needs to find again what it has prepared. JSON, a few kilobytes at most. */
  readonly committables?: Readonly<Record<string, unknown>> | undefined;
}

export interface RestoredTask {
  readonly checkpoint: Checkpoint | undefined;
  readonly state: readonly StateChange[];
}

/** The keeper of one task's checkpoints: the truth. Outputs of transactional sinks go into the same atomic step. */
export interface TaskLedger {
  /** Fences earlier owners, then reads what was last committed. */
  restore(): Promise<RestoredTask>;
  /** Atomically stores checkpoint, state changes and what transactional sinks of this task wrote since the last one. */
  commit(checkpoint: Checkpoint, changes: readonly StateChange[]): Promise<void>;
  close(): Promise<void>;
}

/** What a ledger keeps of one task, and the topic of each position where the ledger knows it. */
export interface StoredTask extends RestoredTask {
  /** By source step id. */
  readonly topics: Readonly<Record<string, string>>;
}

/** The checkpoints of topologies that do not run: for tools that look at them or put others in their place. */
export interface CheckpointStore {
  /** Partition numbers of the tasks that have a checkpoint, in order. */
  tasks(topology: string): Promise<readonly number[]>;
  /** What was last committed; fences nobody. Memory: the state of the task. */
  inspect(task: TaskId): Promise<StoredTask>;
  /** @throws MillraceError `config` while a process runs the topology, as far as that can be known. */
  mustBeStopped(topology: string): Promise<void>;
  /**
   * Fences whoever owns the task and puts this checkpoint and state in the place of all that it had, in one atomic step.
   * `topics` must name the topic of every position.
   */
  replace(task: TaskId, stored: StoredTask & { readonly checkpoint: Checkpoint }): Promise<void>;
}

/** A point of a log: its oldest record, its end, or the first record with this timestamp (milliseconds) or a later one. */
export type LogPoint = 'earliest' | 'latest' | { readonly timestampMs: number };
