import type { Checkpoint, Position, Profile, SourceOpening, TaskId } from '../core/index.js';
import { BEFORE_ALL_MS, EARLIEST, partitionsRead, positionKey, sourceDriver } from '../core/index.js';
import { openDecoder } from '../schema/index.js';
import type { Topology } from '../topology/index.js';
import type { Clock } from './clock.js';
import type { EndOfRun } from './end-of-run.js';
import { Input } from './input.js';
import { instrumentedReader } from './pending-operations.js';
import type { Opening } from './task-options.js';

export interface TaskInputsOptions {
  readonly topology: Topology;
  readonly profile: Profile;
  readonly task: TaskId;
  /** The number of tasks of the topology. */
  readonly tasks: number;
  readonly checkpoint: Checkpoint;
  readonly end: EndOfRun;
  readonly clock: Clock;
  readonly opening: Opening;
}

const AT_THE_START: Position = { offset: EARLIEST, mergeTimeMs: BEFORE_ALL_MS };

/**
 * Opens the inputs of a task at its checkpoint: for each source the partition with the task's number, for a global source all
 * partitions, in order.
 */
export async function openInputs(options: TaskInputsOptions): Promise<Input[]> {
  const { topology, profile, task, tasks, checkpoint, end, clock, opening } = options;
  const { waits } = opening;
  const inputs: Input[] = [];
  for (const node of topology.sources) {
    const { id, source } = node;
    const driver = await sourceDriver(profile, source, id);
    const codec = await openDecoder(source.schema, profile.schemas);
    const count = () => (source.global ? driver.partitions(source) : tasks);
    const partitions = await opening.during({ kind: 'source', id }, count);
    for (const partition of partitionsRead(source, task.partition, partitions)) {
      const key = positionKey(id, source, partition);
      const position = checkpoint.positions[key] ?? AT_THE_START;
      const at: SourceOpening = {
        task,
        partition,
        offset: position.offset,
        bounded: end.bounded,
        step: id,
        sourceState: position.sourceState,
      };
      const isReporter = partition % tasks === task.partition;
      const shared = source.global ? { task: task.partition, isReporter } : undefined;
      const input = await opening.part(async () => {
        const reader = await waits.track({ kind: 'source', id: key }, driver.open(source, at));
        const watched = instrumentedReader(reader, key, waits);
        return new Input(node, partition, watched, codec, () => clock.now(), position, shared);
      });
      input.ended = end.hadEnded(key);
      inputs.push(input);
    }
  }
  return inputs;
}
