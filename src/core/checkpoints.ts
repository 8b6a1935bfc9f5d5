import type { Checkpoint, RestoredTask, TaskId } from './io.js';

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
