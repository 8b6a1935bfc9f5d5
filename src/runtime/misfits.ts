import type { Chunk, SinkWriter } from '../core/index.js';
import type { TaskStepContext } from './step-context.js';

/** What a sink has no room for goes to the dead letters, in the order of the other letters of its round; the rest stays. */
export function withoutMisfits(writer: SinkWriter, context: TaskStepContext, chunk: Chunk): Chunk {
  if (!writer.misfitOf) return chunk;
  const misfits = chunk.values.map((value) => writer.misfitOf?.(value));
  if (misfits.every((misfit) => misfit === undefined)) return chunk;
  misfits.forEach((misfit, i) => {
    if (misfit === undefined) return;
    context.origin = chunk.origins[i];
    context.deadLetter('misfit', misfit);
  });
  context.origin = undefined; // whatever fails later is not about these
  const fitting = (_: unknown, i: number) => misfits[i] === undefined;
  return { ...chunk, values: chunk.values.filter(fitting), origins: chunk.origins.filter(fitting) };
}
