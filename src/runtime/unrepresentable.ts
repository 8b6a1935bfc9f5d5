import type { Change, Chunk, Origin, SinkWriter } from '../core/index.js';
import type { TaskStepContext } from './step-context.js';

/**
 * What a sink has no room for goes to the dead letters, in the order of the other letters of its round; the rest stays. Of a
 * change it stays that what was held before does not hold any more: the sink must not show it for ever.
 */
export function withoutMisfits(writer: SinkWriter, context: TaskStepContext, chunk: Chunk, areChanges: boolean): Chunk {
  if (!writer.misfitOf) return chunk;
  const misfits = chunk.values.map((value) => writer.misfitOf?.(value));
  if (misfits.every((misfit) => misfit === undefined)) return chunk;
  const values: unknown[] = [];
  const origins: Origin[] = [];
  misfits.forEach((misfit, i) => {
    const origin = chunk.origins[i] as Origin;
    let value = chunk.values[i];
    if (misfit !== undefined) {
      context.origin = origin;
      context.deadLetter('misfit', misfit);
      if (!areChanges) return;
      value = { ...(value as Change<unknown>), after: null };
      if (writer.misfitOf?.(value) !== undefined) return;
    }
    values.push(value);
    origins.push(origin);
  });
  context.origin = undefined; // whatever fails later is not about these
  return { ...chunk, values, origins };
}
