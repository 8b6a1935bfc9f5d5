import type { EventClock, WatermarkMarkers } from './event-clock.js';
import type { Settings } from './options.js';
import type { StateChange } from './state.js';

/** A task: one partition number of a topology. */
export interface TaskId {
  readonly topology: string;
  readonly partition: number;
}

/** Stands for an offset: the oldest record that the log still has. */
export const EARLIEST = -2;

/** The position of a source: of the record to read next, not of the last one read. */
export interface Position {
  readonly offset: number;
  /** Event time up to which this input was merged; `BEFORE_ALL_MS` while its clock is tentative. */
  readonly mergeTimeMs: number;
  /** The clock of this input, if it is tentative or has seen unconfirmed times far ahead (see `observe`). */
  readonly clock?: EventClock | undefined;
  /** For a source with watermark markers: their content up to this offset. */
  readonly watermarkMarkers?: WatermarkMarkers | undefined;
  /** What `sourceStateOf` returned for this offset, if the offset alone does not say where that is. JSON, some hundred bytes. */
  readonly sourceState?: unknown;
}

/** Decisions of the wall clock that cannot be derived from the state, by name. JSON, some hundred bytes. */
export type SettledDecisions = Readonly<Record<string, unknown>>;

/** The state of a task after an epoch. */
export interface Checkpoint {
  readonly epoch: number;
  /** Raised by savepoint restore, offset reset and topic re-creation; part of every fence and row version. */
  readonly incarnation: number;
  readonly topologyHash: string;
  /** Sources and stateful steps of the topology that wrote it, one line each (see `layoutOf`); missing if a tool wrote it. */
  readonly layout?: readonly string[] | undefined;
  /** The settings of its stateful steps by step id (see `stateSettingsOf`); missing if a tool wrote it. */
  readonly settings?: Readonly<Record<string, Settings>> | undefined;
  /** The number of tasks of the topology; missing if an older version wrote it. */
  readonly tasks?: number | undefined;
  /** By source step id; for a global source by id and partition (see `positionKey`). Positions of removed sources are kept. */
  readonly positions: Readonly<Record<string, Position>>;
  readonly settledDecisions: SettledDecisions;
  /** By sink step id, removed sinks too: what a sink needs to find its prepared writes again. JSON, a few kilobytes at most. */
  readonly committables?: Readonly<Record<string, unknown>> | undefined;
}

export interface RestoredTask {
  readonly checkpoint: Checkpoint | undefined;
  readonly state: readonly StateChange[];
}

/** Stores the checkpoints of one task. Outputs of transactional sinks are part of the same atomic commit. */
export interface TaskLedger {
  /** Fences earlier owners, then reads the last commit. */
  restore(): Promise<RestoredTask>;
  /** Stores atomically the checkpoint, the state changes and what transactional sinks of this task wrote since the last commit. */
  commit(checkpoint: Checkpoint, changes: readonly StateChange[]): Promise<void>;
  close(): Promise<void>;
}

/** The checkpoint and state of one task, and the topic of each position if the ledger knows it. */
export interface StoredTask extends RestoredTask {
  /** By source step id. */
  readonly topics: Readonly<Record<string, string>>;
}

/** The checkpoints of stopped topologies, for tools that inspect or replace them. */
export interface CheckpointStore {
  /** Partition numbers of the tasks that have a checkpoint, ascending. */
  tasks(topology: string): Promise<readonly number[]>;
  /** Reads the last commit and fences nobody. Memory: the state of the task. */
  inspect(task: TaskId): Promise<StoredTask>;
  /** @throws MillraceError `config` if a process runs the topology, as far as the store can tell. */
  mustBeStopped(topology: string): Promise<void>;
  /**
   * Fences the owner of the task and replaces its checkpoint and all of its state, in one atomic step. `topics` must name the topic
   * of every position.
   */
  replace(task: TaskId, stored: StoredTask & { readonly checkpoint: Checkpoint }): Promise<void>;
}

/** A point of a log: its oldest record, its end, or the first record with at least this timestamp (milliseconds). */
export type LogPoint = 'earliest' | 'latest' | { readonly timestampMs: number };

/** Where a partition of a log ends. */
export interface LogEnd {
  /** The offset after the last record, committed or not. */
  readonly end: number;
  /** Up to where readers of committed records can read: the first record of the oldest open transaction, or the end. */
  readonly stableEnd: number;
  /** Which transaction holds it back, and the command that ends it, in words. */
  readonly heldBy?: string;
}
