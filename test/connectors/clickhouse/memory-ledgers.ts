import type { Checkpoint, RestoredTask, TaskId, TaskLedger } from '../../../src/core/index.js';

/** Ledgers that remember checkpoints, for sinks that write by themselves. */
export function memoryLedgers(): (task: TaskId) => Promise<TaskLedger> {
  const stored = new Map<number, Checkpoint>();
  return async ({ partition }) => ({
    restore: async (): Promise<RestoredTask> => ({ checkpoint: stored.get(partition), state: [] }),
    commit: async (checkpoint) => void stored.set(partition, checkpoint),
    close: async () => {},
  });
}
