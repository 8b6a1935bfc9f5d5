import type { Checkpoint, RestoredTask, TaskId, TaskLedger } from '../../../src/core/index.js';
import { FakeLedger } from '../../../src/testing/fake-ledger.js';
import { getOrInsert } from '../../../src/util/maps.js';

/** Ledgers that remember checkpoints and state, for sinks that write by themselves. */
export function memoryLedgers(): (task: TaskId) => Promise<TaskLedger> {
  const stored = new Map<number, { checkpoint: Checkpoint | undefined; readonly state: FakeLedger }>();
  return async ({ partition }) => {
    const own = getOrInsert(stored, partition, () => ({ checkpoint: undefined, state: new FakeLedger() }));
    return {
      restore: async (): Promise<RestoredTask> => ({ checkpoint: own.checkpoint, state: own.state.state() }),
      async commit(checkpoint, changes) {
        own.checkpoint = checkpoint;
        own.state.store(changes);
      },
      close: async () => {},
    };
  };
}
