import type { Checkpoint, CheckpointStore, RestoredTask, TaskId, TaskLedger } from '../../core/checkpoint.js';
import { MillraceError } from '../../core/errors.js';
import type { StateChange } from '../../core/state.js';
import type { Hashes } from './hashes.js';
import type { Store, Write } from './store.js';
import type { TaskOutputs, TaskOwners } from './task-outputs.js';
import type { Appending, TopicLog } from './topic-log.js';

/** Bytes of the encoding's version in front of a bucket. */
const VERSION_SIZE = 4;

/**
 * The checkpoints of one task: what its sinks wrote, its state and its positions change in one step of the store.
 */
export function openLedger(
  task: TaskId,
  parts: { readonly store: Store; readonly log: TopicLog; readonly hashes: Hashes; readonly owners: TaskOwners },
): TaskLedger {
  const { store, log, hashes, owners } = parts;
  const id = [task.topology, task.partition];
  let outputs: TaskOutputs | undefined;

  return {
    async restore() {
      store.mustWork();
      outputs = owners.takeOver(task);
      const { checkpoint, topics } = storedCheckpoint(store, task);
      outputs.restoreTopics(topics);
      return { checkpoint, state: restoreState(store, task) };
    },

    async commit(checkpoint, changes) {
      if (outputs === undefined) {
        throw new MillraceError('internal', `task ${id.join('/')} commits before it was restored`);
      }
      outputs.mustOwn();
      const appends: Appending[] = [];
      for (const { topic, partition, blobs } of outputs.takeAppends())
        appends.push(log.append(topic, partition, blobs));
      const hashWrites = hashes.writesFor(outputs.hashes);
      outputs.hashes.clear();
      await store.commit([
        ...appends.flatMap(({ writes }) => writes),
        ...hashWrites,
        ...changes.map((change) => stateWrite(store, task, change)),
        {
          table: store.checkpoints,
          key: id,
          value: { checkpoint, topics: outputs.inputTopics } satisfies CheckpointRow,
        },
      ]);
      for (const { publish } of appends) publish();
    },

    close: async () => undefined,
  };
}

/** As stored, with the topics of its positions by source step id. */
interface CheckpointRow {
  readonly checkpoint: Checkpoint;
  readonly topics: Readonly<Record<string, string>>;
}

export const storedCheckpoint = (
  store: Store,
  { topology, partition }: TaskId,
): CheckpointRow | { readonly checkpoint: undefined; readonly topics: Readonly<Record<string, string>> } =>
  (store.checkpoints.get([topology, partition]) as CheckpointRow | undefined) ?? { checkpoint: undefined, topics: {} };

function stateWrite(store: Store, task: TaskId, { step, cell, bucket, version, bytes }: StateChange): Write {
  const key = [task.topology, task.partition, step, cell, bucket];
  if (bytes === null) return { table: store.state, key, value: null };
  const value = Buffer.allocUnsafe(VERSION_SIZE + bytes.length);
  value.writeUInt32LE(version, 0);
  value.set(bytes, VERSION_SIZE);
  return { table: store.state, key, value };
}

function restoreState(store: Store, { topology, partition }: TaskId): RestoredTask['state'] {
  const state: StateChange[] = [];
  // Arrays are ordered item by item: everything of this task lies before its next partition.
  for (const { key, value } of store.state.getRange({
    start: [topology, partition],
    end: [topology, partition + 1],
  })) {
    const [, , step, cell, bucket] = key as [string, number, string, string, number];
    state.push({ step, cell, bucket, version: value.readUInt32LE(0), bytes: value.subarray(VERSION_SIZE) });
  }
  return state;
}

/** The checkpoints in the store, for tools. That nothing else runs is known: one process has the store at a time. */
export function embeddedCheckpoints(store: Store, owners: TaskOwners): CheckpointStore {
  return {
    async tasks(topology) {
      const range = { start: [topology, 0], end: [topology, Number.MAX_SAFE_INTEGER] };
      return [...store.checkpoints.getKeys(range)].map((key) => (key as [string, number])[1]);
    },

    async inspect(task) {
      return { ...storedCheckpoint(store, task), state: restoreState(store, task) };
    },

    mustBeStopped: async () => undefined,

    async replace(task, { checkpoint, state, topics }) {
      store.mustWork();
      owners.takeOver(task);
      const key = [task.topology, task.partition];
      const gone = restoreState(store, task).map(
        (change): Write => stateWrite(store, task, { ...change, bytes: null }),
      );
      await store.commit([
        ...gone,
        ...state.map((change) => stateWrite(store, task, change)),
        { table: store.checkpoints, key, value: { checkpoint, topics } satisfies CheckpointRow },
      ]);
    },
  };
}
