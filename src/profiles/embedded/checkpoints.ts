import type { Checkpoint, CheckpointStore } from '../../core/checkpoint.js';
import { restoreState, stateWrite } from './ledger.js';
import type { Store, Write } from './store.js';
import type { TaskOwners } from './task-outputs.js';

/** The checkpoints in the store, for tools. That nothing else runs is known: one process has the store at a time. */
export function embeddedCheckpoints(store: Store, owners: TaskOwners): CheckpointStore {
  return {
    async tasks(topology) {
      const range = { start: [topology, 0], end: [topology, Number.MAX_SAFE_INTEGER] };
      return [...store.checkpoints.getKeys(range)].map((key) => (key as [string, number])[1]);
    },

    async inspect(task) {
      const checkpoint = store.checkpoints.get([task.topology, task.partition]) as Checkpoint | undefined;
      return { checkpoint, state: restoreState(store, task), topics: {} };
    },

    mustBeStopped: async () => undefined,

    async replace(task, { checkpoint, state }) {
      store.mustWork();
      owners.takeOver(task);
      const key = [task.topology, task.partition];
      const gone = restoreState(store, task).map(
        (change): Write => stateWrite(store, task, { ...change, bytes: null }),
      );
      await store.commit([
        ...gone,
        ...state.map((change) => stateWrite(store, task, change)),
        { table: store.checkpoints, key, value: checkpoint },
      ]);
    },
  };
}
